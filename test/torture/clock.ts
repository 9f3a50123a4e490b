/** A clock that jumps by hours at each look, back and forth: nothing is lost, and nothing waits for it. */
import { rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { randomFrom } from '../language/formatter/mangle.js';
import type { FaultPlan } from './faults/plan.js';
import type { Kind } from './kind.js';
import { difference, leftovers, notRefused, notWell, outputsOf, run } from './project.js';
import { copyScene, type Scene, scenes } from './scenes.js';

const HOUR = 3_600_000;

/** What is there when the run begins. */
const SITUATIONS = [
  'rows',
  'adapter',
  'local',
  'a lock of a process that is gone',
  'a lock of another machine',
] as const;
type Situation = (typeof SITUATIONS)[number];

export const clock: Kind = {
  doc: 'a clock that jumps by hours, back and forth, during runs and before stale locks',
  count: 20,
  short: 1,
  open: async ({ folder, shared, seed, count }) => ({
    cases: count,
    run: async (number) => {
      const random = randomFrom(seed + number);
      const situation = SITUATIONS[(number + 1) % SITUATIONS.length] ?? 'adapter';
      const [scene] = await scenes(shared, [situation.startsWith('a lock') ? 'rows' : situation]);
      if (scene === undefined) return [];
      const jumps = Array.from({ length: 7 }, () => Math.round((random() - 0.5) * 200) * HOUR);
      const what = await jumped(scene, situation, jumps, join(folder, `case-${number}`));
      return what === undefined
        ? []
        : [{ number, what: `${situation}, jumps of ${jumps.join(', ')} ms: ${what}` }];
    },
  }),
};

async function jumped(
  scene: Scene,
  situation: Situation,
  jumps: readonly number[],
  folder: string,
): Promise<string | undefined> {
  copyScene(scene.folder, folder);
  try {
    const isElsewhere = situation === 'a lock of another machine';
    if (situation.startsWith('a lock')) placeLock(folder, isElsewhere);
    const faults: FaultPlan = { root: folder, clock: jumps };
    const ended = await run(folder, { faults });
    // whether a machine that cannot be asked is still at work, only the clock could say
    if (isElsewhere && ended.code !== 0) {
      const problem = notRefused(ended);
      if (problem !== undefined) return problem;
      rmSync(join(folder, '.ftp/lock'));
    } else if (ended.code !== 0) return notWell(ended);
    const again = await run(folder);
    const left = leftovers(folder);
    return (
      notWell(again) ??
      difference(scene.outputs, outputsOf(folder)) ??
      (left.length === 0 ? undefined : `left behind: ${left.join(', ')}`)
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function placeLock(folder: string, elsewhere: boolean): void {
  const holder = {
    pid: elsewhere ? 1 : 4_194_303,
    host: elsewhere ? `not-${hostname()}` : hostname(),
    runId: '20200101-000000-0000',
    since: '2020-01-01T00:00:00.000Z',
  };
  writeFileSync(join(folder, '.ftp/lock'), `${JSON.stringify(holder)}\n`);
}
