/** What the lock file next to a pipeline records about a model or rows. */
import { tryJson } from '../host/json.js';
import type { Call } from '../ir/program.js';
import { LOCK, type Lock, type LockedEntry } from '../schemas/lock-file.js';

/** `undefined` for an invalid lock: the commands that use one report what is wrong with it. */
export const readLock = (text: string): Lock | undefined => tryJson(LOCK, text);

/** `hf org/name@main`, `local models/base`. */
export function entryOf(lock: Lock | undefined, { call, args }: Call): LockedEntry | undefined {
  const { repository, revision } = args;
  const name =
    typeof repository === 'string'
      ? `${repository}@${String(revision)}`
      : String(args['files'] ?? args['folder'] ?? args['file'] ?? '').replaceAll('\\', '/');
  const key = `${call} ${name}`.trim();
  return lock?.models[key] ?? lock?.data[key];
}

/** Rows of all its files; `undefined` if those of a file are not recorded. */
export function rowsIn({ files }: LockedEntry): number | undefined {
  const counts = Object.values(files).map(({ rows }) => rows);
  if (counts.length === 0) return undefined;
  return counts.reduce((sum, rows) => (sum === undefined || rows === undefined ? undefined : sum + rows), 0);
}
