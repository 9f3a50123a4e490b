/** A lock from its file. Others write into the repository too: nothing of it is believed before it has been looked at. */
import { resolve } from 'node:path';
import { lockConflict, lockUnreadable } from '../../language/diagnostics/catalogue/lock.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import { type Host, HostError } from '../../language/host/host.js';
import { JsonFault, parseJson } from '../../language/host/json.js';
import { LOCK, type Lock } from '../../language/schemas/lock-file.js';

/** A lock has a line per file: no pipeline reads so many. */
const MOST_BYTES = 32_000_000;

/** The lock next to a pipeline, by its path for people; a diagnostic where it cannot be used. */
export function openLock(host: Host, name: string): Lock | Diagnostic | undefined {
  const path = resolve(host.cwd, name);
  const stat = host.stat(path);
  if (stat === undefined) return undefined;
  if (stat.isFolder) return lockUnreadable(name, 'it is a folder');
  if (stat.size > MOST_BYTES)
    return lockUnreadable(name, `it has ${stat.size} bytes; at most ${MOST_BYTES} are read`);
  try {
    return parseLock(host.readText(path), name);
  } catch (error) {
    if (error instanceof HostError) return lockUnreadable(name, error.detail);
    throw error;
  }
}

export function parseLock(text: string, name: string): Lock | Diagnostic {
  const conflict = text
    .split('\n')
    .findIndex((line) => /^\uFEFF?(?:<{7}|={7}|>{7}|\|{7})(?:\s|$)/.test(line));
  if (conflict >= 0) return lockConflict(name, conflict + 1);
  const lock = parseJson(LOCK, text);
  return lock instanceof JsonFault ? lockUnreadable(name, lock.detail) : lock;
}
