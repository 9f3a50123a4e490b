/** Processes that are killed at a call that changes a file: the run after each ends as one that nobody disturbed. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { randomFrom } from '../language/formatter/mangle.js';
import { type FaultPlan, KILLS, type Kill, RUN } from './faults/plan.js';
import type { Kind, TortureOptions } from './kind.js';
import { callsOf, type SceneCall } from './order.js';
import { difference, halfOutputs, leftovers, notWell, outputsOf, run } from './project.js';
import { copyScene, SCENES, type Scene, scenes } from './scenes.js';

interface Case extends SceneCall {
  readonly kill: Kill;
}

export const kills: Kind = {
  doc: 'SIGKILL at calls that change a file, in every stage; the next run ends with the same bytes',
  count: 200,
  short: 2,
  open: async (options) => {
    const { folder, shared, count } = options;
    const cases = choose(
      await scenes(shared, count < SCENES.length ? ['adapter', 'local'] : SCENES),
      options,
    );
    return {
      cases: cases.length,
      run: async (number) => {
        const one = cases[number];
        if (one === undefined) return [];
        const what = await killed(one, join(folder, `case-${number}`));
        return what === undefined ? [] : [{ number, what: `${titleOf(one)}: ${what}` }];
      },
    };
  },
};

/** Spread over all scenes and all places in the code. */
function choose(found: readonly Scene[], { seed, count }: TortureOptions): readonly Case[] {
  const random = randomFrom(seed);
  return callsOf(found, seed)
    .slice(0, count)
    .map(({ scene, call }) => {
      const fitting = KILLS.filter((kill) => call.process !== RUN || kill !== 'parent');
      return { scene, call, kill: fitting[Math.floor(random() * fitting.length)] ?? 'self' };
    });
}

const titleOf = ({ scene, call, kill }: Case): string =>
  `${scene.name}, SIGKILL (${kill}) at call ${call.number} of ${call.process}, ${call.name} ${call.path}`;

/** Kills, runs again, and says what is wrong. */
async function killed({ scene, call, kill }: Case, folder: string): Promise<string | undefined> {
  const hit = `${folder}.hit`;
  copyScene(scene.folder, folder);
  try {
    const at = { process: call.process, number: call.number };
    const faults: FaultPlan = { root: folder, at, kill, hit };
    const first = await run(folder, { faults });
    if (first.hung) return 'the killed run did not end';
    const half = existsSync(hit) ? halfOutputs(folder) : ['the call was not reached'];
    if (half.length > 0) return half.join(', ');
    const again = await run(folder);
    const left = leftovers(folder);
    return (
      notWell(again) ??
      difference(scene.outputs, outputsOf(folder)) ??
      (left.length === 0 ? undefined : `left behind: ${left.join(', ')}`)
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(hit, { force: true });
  }
}
