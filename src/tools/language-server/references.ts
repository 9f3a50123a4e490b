/** Every place that refers to one thing, in the files that the editor shows and those of its folders. */
import type { Location } from 'vscode-languageserver';
import type { Module } from '../../language/check/modules.js';
import type { Span } from '../../language/source/span.js';
import type { SourceText } from '../../language/source/text.js';
import type { Occurrence } from './names/file-index.js';
import { type Declaration, idOf, type Target } from './names/targets.js';
import { toRange } from './positions.js';
import type { Session } from './session.js';
import { pipelineFiles } from './workspace-files.js';

export interface NamePlace {
  readonly path: string;
  readonly source: SourceText;
  readonly span: Span;
  readonly isDeclaration: boolean;
}

export const declaredBy = (target: Target): Declaration | undefined =>
  target.kind === 'declared' ? target.declared : target.kind === 'function' ? target.declared : undefined;

/** Within one file. */
export function placesIn({ projects }: Session, module: Module, id: string): readonly NamePlace[] {
  return projects
    .indexOf(module)
    .occurrences.filter(({ target }) => idOf(target) === id)
    .map((occurrence) => placeOf(module, occurrence));
}

/** In every file that can name it. */
export function placesOf(session: Session, target: Target): readonly NamePlace[] {
  const id = idOf(target);
  if (id === undefined) return [];
  const found = new Map<string, readonly NamePlace[]>();
  for (const path of pipelineFiles(session)) {
    const { analysis } = session.projects.compiled(path);
    for (const module of analysis?.modules.values() ?? [])
      if (!found.has(module.path)) found.set(module.path, placesIn(session, module, id));
  }
  return [...found.values()].flat();
}

const placeOf = ({ path, source }: Module, { span, isDeclaration }: Occurrence): NamePlace => ({
  path,
  source,
  span,
  isDeclaration,
});

export const locationOf = ({ open }: Session, { path, source, span }: NamePlace): Location => ({
  uri: open.uriOf(path),
  range: toRange(source, span),
});

/** The words that name it, for an editor that asks where it comes from. */
export function declarationPlace({ name, module }: Declaration): NamePlace {
  return { path: module.path, source: module.source, span: name.span, isDeclaration: true };
}
