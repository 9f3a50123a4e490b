/** What `ftpc gc` finds in all places where ftpc keeps something, and its removal. */
import { dirname, join } from 'node:path';
import type { Host } from '../../../language/host/host.js';
import { nodeDisk } from '../../../language/host/node-disk.js';
import { leftoversOf, sweepLeftovers } from '../../../pipeline/deploy/publish.js';
import { writing } from '../../../pipeline/deploy/release-diagnostics.js';
import { removeCommit, type UnusedCommit, unusedCommits } from '../../../pipeline/hub/cache-garbage.js';
import {
  type Collected,
  collect,
  enterStore,
  type FoundUser,
  findGarbage,
  type Garbage,
  isForgotten,
  KEPT_RUNS,
  type Layout,
  layoutIn,
  layoutOf,
  noteKept,
  type Output,
  releaseEntries,
  sizeOf,
} from '../../../pipeline/store/index.js';

interface TidyRequest {
  readonly runs: number | undefined;
  readonly days: number;
  readonly grace: number;
  readonly checkpoints: boolean;
  readonly cache: boolean;
  /** Removed, not only shown. */
  readonly isDone: boolean;
}

export interface Tidied {
  readonly deleted: boolean;
  /** Bytes that are free now, or would be. */
  readonly bytes: number;
  readonly outputs: readonly Output[];
  readonly checkpoints: readonly Output[];
  readonly runs: Garbage['runs'];
  readonly leftovers: Garbage['leftovers'];
  readonly cache: readonly UnusedCommit[];
  readonly kept: Garbage['kept'];
  readonly keptCheckpoints: readonly Output[];
  readonly keptRuns: Garbage['keptRuns'];
  /** Other directories that use the store. */
  readonly users: readonly (Pick<FoundUser, 'user' | 'host' | 'cwd' | 'at' | 'path'> & {
    /** `forgotten`: its directory is gone, and nothing is kept for it. */
    readonly state: 'active' | 'old' | 'gone' | 'forgotten';
  })[];
  /** Keys that came into use in the meantime. */
  readonly skipped: readonly string[];
}

/** Throws a `UserError` if the disk refuses. */
export async function tidy(host: Host, request: TidyRequest): Promise<Tidied> {
  const now = host.now();
  const options = { ...request, runs: request.runs ?? KEPT_RUNS, now };
  const places = [layoutOf(host), testsOf(host)].filter((place) => place !== undefined);
  const found = places.map((layout) => ({ layout, garbage: findGarbage(host, layout, options) }));
  const releases = besideReleases(host, places);
  const all = <T>(of: (garbage: Garbage) => readonly T[]): readonly T[] =>
    found.flatMap(({ garbage }) => of(garbage));
  const cache = request.cache ? unusedCommits(host, lockedCommits(host), now) : [];
  const leftovers = [...all((one) => one.leftovers), ...releases.left];
  const going = [
    ...all((one) => one.outputs),
    ...all((one) => one.checkpoints),
    ...all((one) => one.runs),
    ...leftovers,
    ...cache,
  ];
  const done = request.isDone
    ? found.map(({ layout, garbage }) => {
        enterStore(layout);
        const collected = collect(layout, garbage, options);
        noteKept(
          host,
          layout,
          garbage.keptRuns.map(({ runId }) => runId),
        );
        return collected;
      })
    : [];
  const swept = request.isDone ? releases.sweep() : 0;
  if (request.isDone) for (const commit of cache) removeCommit(host, commit);
  const users = all((one) => one.users).filter(({ isHere }) => !isHere);
  return {
    deleted: request.isDone,
    bytes: request.isDone ? bytesOf([...done, ...cache]) + swept : bytesOf(going),
    outputs: all((one) => one.outputs),
    checkpoints: all((one) => one.checkpoints),
    runs: all((one) => one.runs),
    leftovers,
    cache,
    kept: all((one) => one.kept),
    keptCheckpoints: all((one) => one.keptCheckpoints),
    keptRuns: all((one) => one.keptRuns),
    users: users.map((one) => ({
      user: one.user,
      host: one.host,
      cwd: one.cwd,
      at: one.at,
      path: one.path,
      state: stateOf(one, now),
    })),
    skipped: done.flatMap(({ skipped }) => skipped),
  };
}

const bytesOf = (all: readonly Pick<Collected, 'bytes'>[]): number =>
  all.reduce((sum, { bytes }) => sum + bytes, 0);

/** Days after which a directory may have been forgotten. */
const OLD = 90;

function stateOf(user: FoundUser, now: number): Tidied['users'][number]['state'] {
  if (isForgotten(user, now)) return 'forgotten';
  if (user.isGone) return 'gone';
  return now - user.at > OLD * 86_400_000 ? 'old' : 'active';
}

/** Tests of pipelines run in a place of their own. */
function testsOf(host: Host): Layout | undefined {
  const cwd = join(host.cwd, '.ftp', 'tests');
  return host.stat(join(cwd, '.ftp'))?.isFolder === true ? layoutIn(cwd) : undefined;
}

/** What killed runs left where they published, which is outside of the store; `sweep` says how many bytes went. */
function besideReleases(host: Host, places: readonly Layout[]) {
  const access = { host, disk: nodeDisk() };
  const entries = places.flatMap((layout) => releaseEntries(host, layout));
  const folders = [...new Set(entries.map(({ release }) => dirname(release)))];
  const find = (): Garbage['leftovers'] =>
    folders.flatMap((folder) => leftoversOf(access, folder)).map((path) => ({ path, bytes: sizeOf(path) }));
  const left = find();
  const sweep = (): number => {
    writing(() => folders.forEach((folder) => void sweepLeftovers(access, folder)));
    return bytesOf(left) - bytesOf(find());
  };
  return { left, sweep };
}

/** Commits that a lock file of this directory names. */
function lockedCommits(host: Host): ReadonlySet<string> {
  return new Set(
    host.glob('**/*.lock', host.cwd).flatMap((path) => host.readText(path).match(/\b[0-9a-f]{40}\b/g) ?? []),
  );
}
