/** Projects of which one stage has still to run: whatever is done to its run costs no more than that stage. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultPlan, MarkedCall } from './faults/plan.js';
import { BEGINNING, makeProject, notWell, outputsOf, run, STAGES, WHOLE } from './project.js';

export interface Scene {
  /**
   * The stage that has to run; `beginning`: all of a short pipeline, in a folder without `.ftp`; `resumed`: training,
   * from a checkpoint.
   */
  readonly name: string;
  readonly folder: string;
  /** Every call of its run that changes a file, in the order in which each process made them. */
  readonly calls: readonly MarkedCall[];
  /** What is there when it has ended. */
  readonly outputs: ReadonlyMap<string, string>;
}

/** What was made already, by its folder: every kind uses the same. */
const made = new Map<string, Promise<Scene>>();

/** The scenes of these names, made below a folder where they are not there yet. */
export async function scenes(folder: string, wanted: readonly string[]): Promise<readonly Scene[]> {
  const whole = wholeScene(folder);
  const found: Scene[] = [];
  for (const name of wanted) found.push(await once(join(folder, name), () => makeScene(folder, name, whole)));
  return found;
}

/** A project in which everything has been done. */
export const wholeScene = (folder: string): Promise<Scene> =>
  once(join(folder, 'whole'), async () => {
    const path = makeProject(join(folder, 'whole'), WHOLE);
    await well(path);
    return { name: 'whole', folder: path, calls: [], outputs: outputsOf(path) };
  });

function once(path: string, make: () => Promise<Scene>): Promise<Scene> {
  const there = made.get(path) ?? make();
  made.set(path, there);
  return there;
}

async function makeScene(folder: string, name: string, whole: Promise<Scene>): Promise<Scene> {
  const path = join(folder, name);
  if (name === 'beginning') makeProject(path, BEGINNING);
  else {
    copyScene((await whole).folder, path);
    forget(path, name === 'resumed' ? 'adapter' : name);
    if (name === 'resumed') await interrupted(path);
  }
  return sceneOf(name, path);
}

export const SCENES: readonly string[] = ['beginning', ...STAGES, 'resumed'];

/** Takes away what a stage has made. */
function forget(folder: string, stage: string): void {
  const store = join(folder, '.ftp/store');
  const kind = KINDS[stage];
  for (const key of readdirSync(store)) {
    const record = JSON.parse(readFileSync(join(store, key, 'stage.json'), 'utf8')) as {
      readonly kind: string;
    };
    if (record.kind === kind) rmSync(join(store, key), { recursive: true });
  }
  if (kind === 'deploy') rmSync(join(folder, 'releases'), { recursive: true });
}

const KINDS: Readonly<Record<string, string>> = {
  rows: 'data',
  dialogs: 'format',
  adapter: 'train',
  quality: 'eval',
  fused: 'merge',
  local: 'deploy',
};

/** Leaves a checkpoint behind: everything is killed at the call after it is complete. */
async function interrupted(folder: string): Promise<void> {
  const { calls } = await sceneOf('adapter', folder);
  const last = calls.find(({ name, path }) => name === 'renameSync' && /\/work\/.*\/step-/.test(path));
  if (last === undefined) throw new Error('training saves no checkpoint');
  const at = { process: last.process, number: last.number + 1 };
  await run(folder, { faults: { root: folder, at, kill: 'all' } });
  if (readdirSync(join(folder, '.ftp/work')).length === 0) throw new Error('no checkpoint is left');
}

/** Runs a copy to its end, and counts the calls. */
async function sceneOf(name: string, folder: string): Promise<Scene> {
  const copy = `${folder}-run`;
  const log = `${folder}.log`;
  rmSync(log, { force: true });
  copyScene(folder, copy);
  await well(copy, { root: copy, log });
  const calls = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as MarkedCall);
  const outputs = outputsOf(copy);
  rmSync(copy, { recursive: true });
  return { name, folder, calls, outputs };
}

export function copyScene(from: string, to: string): void {
  if (existsSync(to)) rmSync(to, { recursive: true });
  cpSync(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
}

async function well(folder: string, faults?: FaultPlan): Promise<void> {
  const problem = notWell(await run(folder, { faults }));
  if (problem !== undefined) throw new Error(`an undisturbed run does not end well: ${problem}`);
}

/** Calls that do the same at the same place: names of keys, processes and steps left out. */
export const siteOf = ({ process, name, path }: MarkedCall): string =>
  `${process} ${name} ${path.replace(/[0-9a-f]{64}/g, 'KEY').replace(/\d+(-\d+-[0-9a-f]+)?/g, 'N')}`;
