/** A lock from its file. Others write into the repository too: nothing of it is believed before it has been looked at. */
import { lockConflict, lockUnreadable } from '../../language/diagnostics/catalogue/lock.js';
import { UserError } from '../../language/diagnostics/types.js';
import { type Host, HostError } from '../../language/host/host.js';
import { JsonFault, parseJson } from '../../language/host/json.js';
import { LOCK, type Lock } from '../../language/schemas/lock-file.js';

/** A lock has a line per file: no pipeline reads so many. */
const MOST_BYTES = 32_000_000;

/** `undefined` if there is no such file. `name` is the path for people. Throws a `UserError`. */
export function readLock(host: Host, path: string, name: string): Lock | undefined {
  const stat = host.stat(path);
  if (stat === undefined) return undefined;
  const bad = (detail: string): UserError => new UserError(lockUnreadable(name, detail));
  if (stat.isFolder) throw bad('it is a folder');
  if (stat.size > MOST_BYTES) throw bad(`it has ${stat.size} bytes; at most ${MOST_BYTES} are read`);
  try {
    return parseLock(host.readText(path), name);
  } catch (error) {
    if (error instanceof HostError) throw bad(error.detail);
    throw error;
  }
}

/** Throws a `UserError`. */
export function parseLock(text: string, name: string): Lock {
  const clean = text.replace(/^\uFEFF/, '');
  const conflict = clean.split('\n').findIndex((line) => /^(?:<{7}|={7}|>{7}|\|{7})(?:\s|$)/.test(line));
  if (conflict >= 0) throw new UserError(lockConflict(name, conflict + 1));
  const lock = parseJson(LOCK, clean);
  if (lock instanceof JsonFault) throw new UserError(lockUnreadable(name, lock.detail));
  return lock;
}
