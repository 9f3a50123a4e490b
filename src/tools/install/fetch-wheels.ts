/** Wheels of a lock onto the disk: from the user's index, from where an earlier try ended, and only with the right digest. */
import { copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { notListed } from '../../language/diagnostics/catalogue/runtimes.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { makeFolders } from '../../language/host/node-folders.js';
import { writing } from '../../pipeline/store/index.js';
import { filesOf, indexesOf } from './python-index.js';
import type { LockedWheel } from './python-lock.js';
import { digestOf, fetchFile, type Remote, shown } from './transfer.js';

/** Files that are fetched at once. */
const AT_ONCE = 4;

/** Where it is; with the digest of the lock, whatever the index says. Throws a `UserError`. */
async function find(host: Host, wheel: LockedWheel, signal: AbortSignal): Promise<Remote> {
  const indexes = indexesOf(host);
  const failures: unknown[] = [];
  for (const index of indexes) {
    try {
      const found = (await filesOf(index, wheel.project, signal)).find(
        ({ name, sha256 }) => sha256 === wheel.sha256 || (sha256 === undefined && name === wheel.name),
      );
      if (found !== undefined) return { ...wheel, url: found.url };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failures.push(error);
    }
  }
  throw (
    failures[0] ??
    new UserError(
      notListed(`\`${wheel.name}\` with the digest of the lock`, shown(new URL(indexes[0] ?? ''))),
    )
  );
}

/** Folders in which wheels are that someone has brought to a machine without an index. */
const findLinks = (host: Host): readonly string[] =>
  [host.env('UV_FIND_LINKS'), host.env('PIP_FIND_LINKS')].flatMap((text) =>
    (text ?? '').split(/[\s,]+/).filter((folder) => host.stat(folder)?.isFolder === true),
  );

/** The path of a wheel in `downloads`, fetched if it is not there. Throws a `UserError`, or the signal's reason. */
export async function fetchWheel(
  host: Host,
  wheel: LockedWheel,
  downloads: string,
  signal: AbortSignal,
  progress: (bytes: number) => void = () => {},
): Promise<string> {
  const path = join(downloads, wheel.name);
  writing(path, undefined, () => makeFolders(downloads));
  const there = statSync(path, { throwIfNoEntry: false });
  if (there?.size === wheel.bytes && (await digestOf(path)) === wheel.sha256) return path;
  for (const folder of findLinks(host)) {
    const brought = join(folder, wheel.name);
    if (host.stat(brought)?.size !== wheel.bytes || (await digestOf(brought)) !== wheel.sha256) continue;
    writing(path, undefined, () => copyFileSync(brought, path));
    return path;
  }
  await fetchFile(await find(host, wheel, signal), path, signal, progress);
  return path;
}

/** All of a lock's wheels; `progress` is told how many bytes of all are there. */
export async function fetchWheels(
  host: Host,
  wheels: readonly LockedWheel[],
  downloads: string,
  signal: AbortSignal,
  progress: (bytes: number) => void,
): Promise<void> {
  const have = new Map<string, number>();
  // the largest first, as the last ones would otherwise be waited for alone
  const waiting = [...wheels].sort((a, b) => b.bytes - a.bytes);
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const worker = async (): Promise<void> => {
    for (let wheel = waiting.shift(); wheel !== undefined; wheel = waiting.shift()) {
      const { name, bytes } = wheel;
      const told = (now: number): void => {
        have.set(name, now);
        progress([...have.values()].reduce((sum, each) => sum + each, 0));
      };
      await fetchWheel(host, wheel, downloads, either, told);
      told(bytes);
    }
  };
  const workers = Array.from({ length: AT_ONCE }, () =>
    worker().catch((error: unknown) => {
      failed.abort(error);
      throw error;
    }),
  );
  const results = await Promise.allSettled(workers);
  if (signal.aborted) throw signal.reason;
  if (results.some(({ status }) => status === 'rejected')) throw failed.signal.reason;
}
