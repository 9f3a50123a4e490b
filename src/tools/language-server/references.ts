/** Every place that refers to one thing, in the files that the editor shows and those of its folders. */

import { join } from 'node:path';
import type { Location } from 'vscode-languageserver';
import type { Module } from '../../language/check/modules.js';
import { HostError } from '../../language/host/host.js';
import type { Span } from '../../language/source/span.js';
import type { SourceText } from '../../language/source/text.js';
import type { Occurrence } from './names/file-index.js';
import { type Declaration, idOf, type Target } from './names/targets.js';
import { isPipelineFile } from './open-files.js';
import { toRange } from './positions.js';
import type { Session } from './session.js';

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

/** A workspace may be a home folder: what is looked at has an end. */
const MOST_FOLDERS = 2000;
const MOST_FILES = 2000;

const SKIPPED = /^(\..*|node_modules|dist|build|out|target|__pycache__|venv)$/;

/** Open ones first, each once. */
export function pipelineFiles({ open, projects }: Session): readonly string[] {
  const files = new Set(projects.opened());
  const folders = [...open.workspaceFolders()];
  for (let looked = 0; looked < MOST_FOLDERS && files.size < MOST_FILES; looked++) {
    const folder = folders.shift();
    if (folder === undefined) break;
    const host = projects.hostAt(folder);
    for (const name of namesIn(folder, host)) {
      const path = join(folder, name);
      if (isPipelineFile(path)) files.add(path);
      else if (!SKIPPED.test(name) && !/\.[A-Za-z0-9]+$/.test(name) && host.stat(path)?.isFolder === true)
        folders.push(path);
    }
  }
  return [...files];
}

function namesIn(folder: string, host: ReturnType<Session['projects']['hostAt']>): readonly string[] {
  try {
    return host.list(folder);
  } catch (error) {
    if (error instanceof HostError) return [];
    throw error;
  }
}
