/** The order in which cases are tried, when there are more of them than wanted. */
import { type Random, randomFrom } from '../language/formatter/mangle.js';
import { type MarkedCall, RUN } from './faults/plan.js';
import { type Scene, siteOf } from './scenes.js';

export interface SceneCall {
  readonly scene: Scene;
  readonly call: MarkedCall;
}

/** Every call of the scenes: one of each site first, the scenes taking turns, and then the others. */
export function callsOf(scenes: readonly Scene[], seed: number): readonly SceneCall[] {
  const all = shuffled(
    scenes.flatMap((scene) => scene.calls.map((call) => ({ scene, call }))),
    randomFrom(seed),
  );
  const seen = new Set<string>();
  const first = all.filter((one) => !seen.has(siteIn(one)) && seen.add(siteIn(one)));
  const firsts = new Set(first);
  return [...inTurn(first), ...all.filter((one) => !firsts.has(one))];
}

/** How many sites there are. */
export const sitesOf = (scenes: readonly Scene[]): number =>
  new Set(scenes.flatMap((scene) => scene.calls.map((call) => siteIn({ scene, call })))).size;

/** What the run itself does for every stage is the same in every scene. */
const siteIn = ({ scene, call }: SceneCall): string =>
  call.process === RUN ? siteOf(call) : `${scene.name} ${siteOf(call)}`;

function inTurn(calls: readonly SceneCall[]): readonly SceneCall[] {
  const groups = new Map<Scene, SceneCall[]>();
  for (const one of calls) groups.set(one.scene, [...(groups.get(one.scene) ?? []), one]);
  const turns: SceneCall[] = [];
  for (let turn = 0; turns.length < calls.length; turn++)
    for (const group of groups.values()) turns.push(...group.slice(turn, turn + 1));
  return turns;
}

export function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
