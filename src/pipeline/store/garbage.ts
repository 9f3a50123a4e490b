/** Which outputs nobody needs any more, and why the others stay. */
import { dirname, join } from 'node:path';
import type { Host } from '../../language/host/host.js';
import { foundClaims, isKey, namesIn } from './claims.js';
import { sizeOf } from './digest.js';
import { foreignInOutput, foreignInRun } from './foreign.js';
import { type Layout, runFolder, storesOf } from './layout.js';
import { finishedWork, leftoversIn } from './leftovers.js';
import { foundLock } from './lock.js';
import { type KeptRuns, keptRuns, pastRuns, recordOf, releaseEntries, withInputs } from './needs.js';
import { isOfStore } from './own-names.js';
import { type FoundUser, storeUsers, usedTimes } from './users.js';
import { isAllOwn } from './work-folder.js';

/** Why an output stays. */
export type Need =
  | 'claimed'
  | 'used_lately'
  | 'release'
  | 'recent_run'
  | 'other_user'
  | 'checkpoint'
  /** Somebody else has put something into it. */
  | 'foreign';

export interface GarbageOptions extends KeptRuns {
  /** Minutes after its last use in which an output stays. */
  readonly grace: number;
  /** Also checkpoints that no recent run names go. */
  readonly checkpoints: boolean;
  readonly now: number;
}

/** A folder or file with its size in bytes. */
export interface Sized {
  readonly path: string;
  readonly bytes: number;
}

export interface Output extends Sized {
  readonly key: string;
  /** As its stage was called, where that is known. */
  readonly stage?: string;
  readonly kind?: string;
}

export interface Garbage {
  readonly outputs: readonly Output[];
  readonly checkpoints: readonly Output[];
  readonly runs: readonly (Sized & { readonly runId: string })[];
  readonly leftovers: readonly Sized[];
  readonly kept: readonly (Output & { readonly need: Need })[];
  readonly keptCheckpoints: readonly Output[];
  readonly keptRuns: readonly (Sized & { readonly runId: string })[];
  /** Directories that use the store, with this one. */
  readonly users: readonly FoundUser[];
}

/** Days without a run after which a directory that is gone is forgotten. */
const FORGOTTEN = 7;

export function findGarbage(host: Host, layout: Layout, options: GarbageOptions): Garbage {
  const runs = pastRuns(host, layout);
  const recent = keptRuns(runs, options, options.now);
  const lock = foundLock(layout);
  const active = lock?.state === 'gone' ? undefined : lock?.runId;
  const isKept = (runId: string): boolean => recent.has(runId) || runId === active;
  const users = storeUsers(layout);
  const needs = needsOf(host, layout, options, users, {
    recent: runs.filter(({ runId }) => isKept(runId)).flatMap(({ keys }) => keys),
    all: runs,
    active,
  });
  const stages = Object.assign({}, ...runs.toReversed().map((run) => run.stages));
  const describe = (path: string, key: string): Output => {
    const kind = recordOf(host, layout, key)?.record.kind;
    return { key, path, bytes: sizeOf(path), stage: stages[key], kind };
  };
  const outputsIn = (folder: string): readonly Output[] =>
    namesIn(folder)
      .filter((key) => isOfStore(dirname(folder), join(folder, key)))
      .map((key) => describe(join(folder, key), key));
  const all = storesOf(layout)
    .flatMap(outputsIn)
    .map((output) => ({ output, need: needs.of(output.key) ?? foreignNeed(foreignInOutput(output.path)) }));
  const finished = new Set(finishedWork(layout));
  const work = outputsIn(layout.work).filter(({ key }) => !finished.has(key));
  const mayGo = ({ key, path }: Output): boolean =>
    options.checkpoints && needs.withoutCheckpoints(key) === undefined && isAllOwn(path);
  const old = oldRuns(layout, isKept).map((run) => ({ run, foreign: foreignInRun(run.path) }));
  return {
    outputs: all.flatMap(({ output, need }) => (need === undefined ? [output] : [])),
    kept: all.flatMap(({ output, need }) => (need === undefined ? [] : [{ ...output, need }])),
    checkpoints: work.filter(mayGo),
    keptCheckpoints: work.filter((one) => !mayGo(one)),
    runs: old.flatMap(({ run, foreign }) => (foreign.length === 0 ? [run] : [])),
    keptRuns: [
      ...runs.filter(({ runId }) => isKept(runId)).map(({ runId }) => sized(layout, runId)),
      ...old.flatMap(({ run, foreign }) => (foreign.length === 0 ? [] : [run])),
    ],
    leftovers: [...leftoversIn(layout), ...[...finished].map((key) => join(layout.work, key))].map(
      (path) => ({
        path,
        bytes: sizeOf(path),
      }),
    ),
    users,
  };
}

const foreignNeed = (names: readonly string[]): Need | undefined =>
  names.length === 0 ? undefined : 'foreign';

interface RunsNeeds {
  readonly recent: readonly string[];
  readonly all: readonly { readonly runId: string; readonly keys: readonly string[] }[];
  readonly active: string | undefined;
}

function needsOf(
  host: Host,
  layout: Layout,
  { grace, now }: GarbageOptions,
  users: readonly FoundUser[],
  { recent, all, active }: RunsNeeds,
) {
  const used = usedTimes(layout);
  const claims = foundClaims(layout).filter(({ state }) => state !== 'gone');
  const others = users.filter((user) => !user.isHere && !isForgotten(user, now));
  const own = users.find(({ isHere }) => isHere);
  /** What a run that is at work will come to. */
  const planned = own?.runs.filter(({ runId }) => runId === active).flatMap(({ keys }) => keys) ?? [];
  const begun = namesIn(layout.work).filter(isKey);
  /** A stage that resumes reads what the other stages of its run made. */
  const around = all
    .filter(({ keys }) => keys.some((key) => begun.includes(key)))
    .flatMap(({ keys }) => keys);
  const sets: Readonly<Record<Exclude<Need, 'used_lately' | 'foreign'>, ReadonlySet<string>>> = {
    claimed: new Set(claims.map(({ key }) => key)),
    recent_run: withInputs(host, layout, [...recent, ...planned]),
    release: withInputs(
      host,
      layout,
      releaseEntries(host, layout).map(({ key }) => key),
    ),
    other_user: withInputs(
      host,
      layout,
      others.flatMap(({ runs, releases }) => [...runs.flatMap(({ keys }) => keys), ...releases]),
    ),
    checkpoint: new Set([...begun, ...around]),
  };
  const first = (key: string, names: readonly (keyof typeof sets)[]): Need | undefined =>
    names.find((name) => sets[name].has(key)) ??
    (used.now - used.of(key) < grace * 60_000 ? 'used_lately' : undefined);
  return {
    of: (key: string) => first(key, ['claimed', 'release', 'recent_run', 'other_user', 'checkpoint']),
    withoutCheckpoints: (key: string) => first(key, ['claimed', 'release', 'recent_run', 'other_user']),
  };
}

/** Its directory is gone from this machine, and has not run anything for days. */
export const isForgotten = ({ isGone, at }: FoundUser, now: number): boolean =>
  isGone && now - at > FORGOTTEN * 86_400_000;

function sized(layout: Layout, runId: string): Garbage['runs'][number] {
  const path = runFolder(layout, runId);
  return { runId, path, bytes: sizeOf(path) };
}

/** Folders of runs that are not kept. */
const oldRuns = (layout: Layout, isKept: (runId: string) => boolean): Garbage['runs'] =>
  namesIn(layout.runs)
    .filter((runId) => isOfStore(layout.root, runFolder(layout, runId)) && !isKept(runId))
    .map((runId) => sized(layout, runId));
