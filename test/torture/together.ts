/** Runs that are started at once: each ends well or is told who is at work, and everything is made once. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, randomFrom } from '../language/formatter/mangle.js';
import { RUN } from './faults/plan.js';
import type { Kind, Loss } from './kind.js';
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
  doc: 'two and three runs at once, in one folder or on one store: each ends well or is refused, and all is made once',
  count: 30,
  short: 2,
  open: async ({ folder, shared, seed, count }) => ({
    cases: count,
    run: async (number) => {
      const random = randomFrom(seed + number);
      const own = join(folder, `case-${number}`);
      if (number % 3 === 1) return losses(number, 'one store', await onOneStore(shared, random, own));
      const [scene] = await scenes(shared, [
        ['beginning', 'adapter', 'local'][(number >> 1) % 3] ?? 'beginning',
      ]);
      if (scene === undefined) return [];
      // some at the very same time, some while the first is at work
      const waits = Array.from({ length: 1 + (number % 2) }, () => (random() < 0.4 ? 0 : random() * 1500));
      const title = `${scene.name}, ${waits.map((wait) => `${Math.round(wait)} ms`).join(' and ')} after the first`;
      return losses(number, title, await atOnce(scene, waits, own));
    },
  }),
};

const losses = (number: number, title: string, what: string | undefined): readonly Loss[] =>
  what === undefined ? [] : [{ number, what: `${title}: ${what}` }];

/** Three projects with one store; of two in three cases, one of them is killed at a call that changes the store. */
async function onOneStore(shared: string, random: Random, folder: string): Promise<string | undefined> {
  const [scene] = await scenes(shared, ['beginning']);
  if (scene === undefined) return undefined;
  const projects = ['one', 'two', 'three'].map((name) => join(folder, name));
  for (const project of projects) copyScene(scene.folder, project);
  // a folder with a store as a project of its own would have it
  const store = join(folder, 'store');
  const words = ['--store', join(store, '.ftp')];
  const kill = { process: RUN, number: 1 + Math.floor(random() * 60) };
  try {
    const all = await Promise.all(
      projects.map(async (project, index) => {
        const isKilled = index === 0 && kill.number < 40;
        await sleep(random() * 800);
        return run(project, isKilled ? { faults: { root: folder, at: kill, kill: 'all' } } : {}, words);
      }),
    );
    const killed = all[0]?.signal === 'SIGKILL';
    for (const ended of killed ? all.slice(1) : all) {
      const problem = notWell(ended);
      if (problem !== undefined) return problem;
    }
    for (const project of projects) {
      const problem = notWell(await run(project, {}, words));
      if (problem !== undefined) return `again: ${problem}`;
    }
    const made = madeIn(projects.flatMap((project) => runsIn(project).map((id) => ({ project, id }))));
    const left = [store, ...projects].flatMap((path) => leftovers(path));
    return (
      (killed ? undefined : doubled(made)) ??
      difference(scene.outputs, outputsOf(store, projects)) ??
      (left.length === 0 ? undefined : `left behind: ${left.join(', ')}`)
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

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
const twice = (project: string, before: readonly string[]): string | undefined =>
  doubled(
    madeIn(
      runsIn(project)
        .filter((id) => !before.includes(id))
        .map((id) => ({ project, id })),
    ),
  );

/** Stages that runs made, by what their journals say. */
const madeIn = (runs: readonly { readonly project: string; readonly id: string }[]): readonly string[] =>
  runs
    .flatMap(({ project, id }) =>
      eventsOf({ out: readFileSync(join(project, '.ftp/runs', id, 'journal.jsonl'), 'utf8') }),
    )
    .filter(({ type, status }) => type === 'stage.finished' && status === 'done')
    .map(({ stage }) => String(stage));

function doubled(made: readonly string[]): string | undefined {
  const stage = made.find((name, at) => made.indexOf(name) !== at);
  return stage === undefined ? undefined : `${stage} was made twice`;
}

function runsIn(folder: string): readonly string[] {
  const runs = join(folder, '.ftp/runs');
  return existsSync(runs) ? readdirSync(runs) : [];
}
