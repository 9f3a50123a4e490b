import * as v from 'valibot';
import { count, finite, type JsonOf, jsonLines } from '../../language/host/json.js';
import { type Canary, placeCanary, readCanary, removeCanary } from './canary.js';
import { writing } from './release-diagnostics.js';
import { currentRelease, listReleases, moveCurrent, type ReleaseAccess } from './releases.js';

const HISTORY = 'history.jsonl';

const ENTRY = v.object({
  /** ISO 8601, UTC. */
  at: v.string(),
  /**
   * `publish`: new; `again`: the same content was there and became current; `rollback`: someone went back; `canary`: it gets
   * a share; `promote`: the canary became current; `end_canary`: it gets no requests any more.
   */
  action: v.picklist(['publish', 'again', 'rollback', 'canary', 'promote', 'end_canary']),
  release: count,
  /** The release that was current before. */
  from: v.nullable(count),
  digest: v.string(),
  /** Of the requests, 0 to 1, of a canary. */
  share: v.optional(finite),
});
type HistoryEntry = JsonOf<typeof ENTRY>;

/** A release that is published, and how. */
type Placed<A extends HistoryEntry['action']> = Pick<HistoryEntry, 'release' | 'digest'> & {
  readonly action: A;
};

/**
 * Makes a release current, and adds a line that says so. A canary ends with a release that is published or promoted:
 * what it was compared with is not there any more. Another release than itself ends it first: killed in between, publishing
 * again finds a release that is not current yet, and goes on.
 */
export function makeCurrent(
  access: ReleaseAccess,
  folder: string,
  { action, release, digest }: Placed<'publish' | 'again' | 'rollback' | 'promote'>,
): void {
  const from = currentRelease(access, folder)?.number ?? null;
  writing(() => {
    const canary = readCanary(access, folder);
    if (canary !== undefined && canary.release !== release && action !== 'rollback')
      endCanary(access, folder, canary);
    moveCurrent(access, folder, release);
    append(access, `${folder}/${HISTORY}`, { action, release, from, digest });
    if (readCanary(access, folder) === undefined) removeCanary(access, folder);
  });
}

/** Gives a release a share of the requests, and adds a line that says so. */
export function makeCanary(
  access: ReleaseAccess,
  folder: string,
  { release, digest }: Pick<HistoryEntry, 'release' | 'digest'>,
  share: number,
): void {
  const from = currentRelease(access, folder)?.number ?? null;
  const before = readCanary(access, folder);
  const since = before?.release === release ? before.since : new Date(access.host.now()).toISOString();
  writing(() => {
    placeCanary(access, folder, { release, share, since });
    append(access, `${folder}/${HISTORY}`, { action: 'canary', release, from, digest, share });
  });
}

/** Takes its share from the canary, and adds a line that says so. */
export function endCanary(access: ReleaseAccess, folder: string, { release }: Canary): void {
  const from = currentRelease(access, folder)?.number ?? null;
  const known = listReleases(access, folder).find(({ number }) => number === release);
  const digest = known?.manifest?.digest ?? '';
  writing(() => {
    removeCanary(access, folder);
    append(access, `${folder}/${HISTORY}`, { action: 'end_canary', release, from, digest });
  });
}

/** A line that a power cut tore is closed first, so that it spoils no other. */
function append({ host, disk }: ReleaseAccess, path: string, entry: Omit<HistoryEntry, 'at'>): void {
  const size = host.stat(path)?.size ?? 0;
  const torn = size > 0 && host.readBytes(path, size - 1, 1)[0] !== 0x0a;
  const line = JSON.stringify({ at: new Date(host.now()).toISOString(), ...entry });
  disk.append(path, `${torn ? '\n' : ''}${line}\n`);
}

/** Oldest first; torn lines are no entries. */
export function readHistory({ host }: Pick<ReleaseAccess, 'host'>, folder: string): readonly HistoryEntry[] {
  const path = `${folder}/${HISTORY}`;
  return host.stat(path) === undefined ? [] : jsonLines(ENTRY, host.readText(path));
}
