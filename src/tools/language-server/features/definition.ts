/** Where what a word refers to is written: a name, a preset of the library, a module, a file. */
import type { Location } from 'vscode-languageserver';
import { PRELUDE } from '../../../language/check/modules.js';
import { filesNamed } from '../named-files.js';
import { declaredIn } from '../names/declarations.js';
import type { Target } from '../names/targets.js';
import { declarationPlace, declaredBy, locationOf } from '../references.js';
import { type Feature, onSpot, type Session, type Spot } from '../session.js';

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
