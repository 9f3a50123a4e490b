import { locationOf, placesOf } from '../references.js';
import { type Feature, safely, spotOf } from '../session.js';

/** Every use of a name, over the files of the workspace. */
export const references: Feature = {
  capabilities: { referencesProvider: true },
  register: (session) =>
    session.connection.onReferences(
      safely(session, null, (params) => {
        const target = spotOf(session, params)?.occurrence?.target;
        if (target === undefined) return null;
        return placesOf(session, target)
          .filter(({ isDeclaration }) => params.context.includeDeclaration || !isDeclaration)
          .map((place) => locationOf(session, place));
      }),
    ),
};
