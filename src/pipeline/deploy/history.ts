import * as v from 'valibot';
import { count, type JsonOf, jsonLines } from '../../language/host/json.js';
import { writing } from './release-diagnostics.js';
import { currentRelease, moveCurrent, type ReleaseAccess } from './releases.js';

const HISTORY = 'history.jsonl';

const ENTRY = v.object({
  /** ISO 8601, UTC. */
  at: v.string(),
  /** `publish`: new; `again`: the same content was there and became current; `rollback`: someone went back. */
  action: v.picklist(['publish', 'again', 'rollback']),
  release: count,
  /** The release that was current before. */
  from: v.nullable(count),
  digest: v.string(),
});
type HistoryEntry = JsonOf<typeof ENTRY>;

/** Makes a release current, and adds a line that says so. */
export function makeCurrent(
  access: ReleaseAccess,
  folder: string,
  { action, release, digest }: Pick<HistoryEntry, 'action' | 'release' | 'digest'>,
): void {
  const from = currentRelease(access, folder)?.number ?? null;
  writing(() => {
    moveCurrent(access, folder, release);
    append(access, `${folder}/${HISTORY}`, { action, release, from, digest });
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
