/** The same thing elsewhere: every use of a name over the files of the workspace, and those of one file. */
import { DocumentHighlightKind } from 'vscode-languageserver/node.js';
import { idOf } from '../names/targets.js';
import { toRange } from '../positions.js';
import { locationOf, placesIn, placesOf } from '../references.js';
import { type Feature, onSpot } from '../session.js';

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
