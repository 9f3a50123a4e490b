/** Runs that are started at once: each ends well or is told who is at work, and everything is made once. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomFrom } from '../language/formatter/mangle.js';
import type { Kind } from './kind.js';
import {
  difference,
  type Ended,
  errorsOf,
  eventsOf,
  leftovers,
  notRefused,
  notWell,
  outputsOf,
  run,
} from './project.js';
import { copyScene, type Scene, scenes } from './scenes.js';

export const together: Kind = {
  doc: 'two and three runs at once in one folder: each ends well or is refused, and all is made once',
  count: 20,
  short: 2,
  open: async ({ folder, shared, seed, count }) => ({
    cases: count,
    run: async (number) => {
      const random = randomFrom(seed + number);
      const [scene] = await scenes(shared, [['beginning', 'adapter', 'local'][number % 3] ?? 'beginning']);
      if (scene === undefined) return [];
      // some at the very same time, some while the first is at work
      const waits = Array.from({ length: 1 + (number % 2) }, () => (random() < 0.4 ? 0 : random() * 1500));
      const what = await atOnce(scene, waits, join(folder, `case-${number}`));
      const title = `${scene.name}, ${waits.map((wait) => `${Math.round(wait)} ms`).join(' and ')} after the first`;
      return what === undefined ? [] : [{ number, what: `${title}: ${what}` }];
    },
  }),
};

async function atOnce(scene: Scene, waits: readonly number[], folder: string): Promise<string | undefined> {
  copyScene(scene.folder, folder);
  const before = runsIn(folder);
  try {
    const all = await Promise.all([
      run(folder),
      ...waits.map(async (wait) => {
        await sleep(wait);
        return run(folder);
      }),
    ]);
    const done = all.filter(({ code }) => code === 0);
    for (const ended of all) {
      const problem = ended.code === 0 ? notWell(ended) : (notRefused(ended) ?? notTheLock(ended));
      if (problem !== undefined) return problem;
    }
    // contenders for a stale lock may all stand back; one for a free lock may not
    if (done.length === 0) return 'no run got through';
    const left = leftovers(folder);
    return (
      twice(folder, before) ??
      difference(scene.outputs, outputsOf(folder)) ??
      (left.length === 0 ? undefined : `left behind: ${left.join(', ')}`)
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const notTheLock = (ended: Ended): string | undefined =>
  errorsOf(ended).every((code) => code === 'FTP0804') ? undefined : `it said ${errorsOf(ended).join(', ')}`;

/** A stage that ran to its end in more than one run. */
function twice(folder: string, before: readonly string[]): string | undefined {
  const made = runsIn(folder)
    .filter((id) => !before.includes(id))
    .flatMap((id) => eventsOf({ out: readFileSync(join(folder, '.ftp/runs', id, 'journal.jsonl'), 'utf8') }))
    .filter(({ type, status }) => type === 'stage.finished' && status === 'done')
    .map(({ stage }) => String(stage));
  const doubled = made.find((stage, at) => made.indexOf(stage) !== at);
  return doubled === undefined ? undefined : `${doubled} was made twice`;
}

function runsIn(folder: string): readonly string[] {
  const runs = join(folder, '.ftp/runs');
  return existsSync(runs) ? readdirSync(runs) : [];
}
