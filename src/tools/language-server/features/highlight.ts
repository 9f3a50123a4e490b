import { DocumentHighlightKind } from 'vscode-languageserver/node.js';
import { idOf } from '../names/targets.js';
import { toRange } from '../positions.js';
import { placesIn } from '../references.js';
import { type Feature, safely, spotOf } from '../session.js';

/** The same thing elsewhere in the file. */
export const highlight: Feature = {
  capabilities: { documentHighlightProvider: true },
  register: (session) =>
    session.connection.onDocumentHighlight(
      safely(session, null, (params) => {
        const spot = spotOf(session, params);
        const id = spot?.occurrence === undefined ? undefined : idOf(spot.occurrence.target);
        if (spot === undefined || id === undefined) return null;
        return placesIn(session, spot.view.module, id).map(({ source, span, isDeclaration }) => ({
          range: toRange(source, span),
          kind: isDeclaration ? DocumentHighlightKind.Write : DocumentHighlightKind.Read,
        }));
      }),
    ),
};
