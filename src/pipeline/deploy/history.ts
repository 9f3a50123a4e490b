import { isJson } from '../../compute/models/json-file.js';
import type { ReleaseWorld } from './world.js';

const HISTORY = 'history.jsonl';

/** `publish`: new; `again`: the same content was there and became current; `rollback`: someone went back. */
export type HistoryAction = 'publish' | 'again' | 'rollback';

export interface HistoryEntry {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly action: HistoryAction;
  readonly release: number;
  /** The release that was current before. */
  readonly from: number | null;
  readonly digest: string;
}

/** Adds a line. A line that a power cut tore is closed first, so that it spoils no other. */
export function addHistory(
  { host, disk }: ReleaseWorld,
  folder: string,
  entry: Omit<HistoryEntry, 'at'>,
): void {
  const path = `${folder}/${HISTORY}`;
  const size = host.stat(path)?.size ?? 0;
  const torn = size > 0 && host.readBytes(path, size - 1, 1)[0] !== 0x0a;
  const line = JSON.stringify({ at: new Date(host.now()).toISOString(), ...entry });
  disk.append(path, `${torn ? '\n' : ''}${line}\n`);
}

/** Oldest first; torn lines are no entries. */
export function readHistory({ host }: Pick<ReleaseWorld, 'host'>, folder: string): readonly HistoryEntry[] {
  const path = `${folder}/${HISTORY}`;
  if (host.stat(path) === undefined) return [];
  return host
    .readText(path)
    .split('\n')
    .flatMap((line) => {
      try {
        const value: unknown = JSON.parse(line);
        return isJson(value) ? [value as unknown as HistoryEntry] : [];
      } catch {
        return [];
      }
    });
}
