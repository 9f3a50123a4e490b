/** Where a word leads: to what it refers to, to modules and files, and to its other uses. */
import type { DocumentLink, Location } from 'vscode-languageserver';
import { DocumentHighlightKind } from 'vscode-languageserver/node.js';
import { PRELUDE } from '../../../language/check/modules.js';
import { filesNamed, namesFolder } from '../named-files.js';
import { declaredIn, idOf, type Target } from '../names/targets.js';
import { toRange } from '../positions.js';
import type { View } from '../projects.js';
import { declarationPlace, declaredBy, locationOf, placesIn, placesOf } from '../references.js';
import { type Feature, onSpot, onView, type Session, type Spot } from '../session.js';

/** Most files of a pattern that an editor is shown. */
const MOST_FILES = 50;

const TOP = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

export const definition: Feature = {
  capabilities: { definitionProvider: true },
  register: (session) =>
    session.connection.onDefinition(
      onSpot(session, null, (spot) =>
        spot.occurrence === undefined ? null : define(spot.occurrence.target, spot, session),
      ),
    ),
};

function define(target: Target, { view }: Spot, session: Session): Location | Location[] | null {
  const { open } = session;
  if ((target.kind === 'port' || target.kind === 'metric') && target.stage !== undefined)
    return locationOf(session, declarationPlace(target.stage));
  if (target.kind === 'module')
    return target.module === undefined ? null : { uri: open.uriOf(target.module.path), range: TOP };
  if (target.kind === 'path') {
    const places = filesNamed(target, view, session).map((file) => ({ uri: open.uriOf(file), range: TOP }));
    return places.length > 1 ? places.slice(0, MOST_FILES) : (places[0] ?? null);
  }
  const declared = declaredBy(target) ?? (target.kind === 'function' ? native(target.name, view) : undefined);
  return declared === undefined ? null : locationOf(session, declarationPlace(declared));
}

/** A function that is known without an import is in the prelude. */
function native(name: string, { analysis }: Spot['view']) {
  const modules = [...analysis.modules.values()].filter(({ isLibrary }) => isLibrary);
  const prelude = modules.find((module) => module.name === PRELUDE);
  return [prelude, ...modules].flatMap((module) =>
    module === undefined ? [] : (declaredIn(module).get(name) ?? []),
  )[0];
}

export const links: Feature = {
  capabilities: { documentLinkProvider: { resolveProvider: false } },
  register: (session) =>
    session.connection.onDocumentLinks(
      onView(session, null, (view) =>
        view.index.occurrences.flatMap(({ span, target }): DocumentLink[] => {
          const [first, ...more] = filesIn(target, view, session);
          if (first === undefined) return [];
          // Without the quotes.
          const inner = { start: span.start + 1, end: Math.max(span.start + 1, span.end - 1) };
          const tooltip = more.length === 0 ? {} : { tooltip: `The first of ${more.length + 1} files` };
          return [{ range: toRange(view.source, inner), target: session.open.uriOf(first), ...tooltip }];
        }),
      ),
    ),
};

function filesIn(target: Target, view: View, session: Session): readonly string[] {
  if (target.kind === 'module') return target.module === undefined ? [] : [target.module.path];
  return target.kind === 'path' && !namesFolder(target) ? filesNamed(target, view, session) : [];
}

export const references: Feature = {
  capabilities: { referencesProvider: true },
  register: (session) =>
    session.connection.onReferences(
      onSpot(session, null, ({ occurrence }, { context }) =>
        occurrence === undefined
          ? null
          : placesOf(session, occurrence.target)
              .filter(({ isDeclaration }) => context.includeDeclaration || !isDeclaration)
              .map((place) => locationOf(session, place)),
      ),
    ),
};

export const highlight: Feature = {
  capabilities: { documentHighlightProvider: true },
  register: (session) =>
    session.connection.onDocumentHighlight(
      onSpot(session, null, ({ view, occurrence }) => {
        const id = occurrence && idOf(occurrence.target);
        if (id === undefined) return null;
        return placesIn(session, view.module, id).map(({ source, span, isDeclaration }) => ({
          range: toRange(source, span),
          kind: isDeclaration ? DocumentHighlightKind.Write : DocumentHighlightKind.Read,
        }));
      }),
    ),
};
