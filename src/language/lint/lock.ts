/** What the lock beside a pipeline knows of a model or of rows: its shape is that of docs/schema/lock.json. */
import type { Call } from '../ir/types.js';

export interface LockedEntry {
  readonly commit?: string;
  readonly licence?: string;
  readonly files?: Readonly<Record<string, { readonly rows?: number }>>;
}

export interface Lock {
  readonly models?: Readonly<Record<string, LockedEntry>>;
  readonly data?: Readonly<Record<string, LockedEntry>>;
}

/** `undefined` for what is no lock: the commands that use one say what is wrong with it. */
export function readLock(text: string): Lock | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Lock) : undefined;
  } catch {
    return undefined;
  }
}

/** `hf org/name@main`, `local models/base`. */
export function entryOf(lock: Lock | undefined, { call, args }: Call): LockedEntry | undefined {
  const { repository, revision } = args;
  const name =
    typeof repository === 'string'
      ? `${repository}@${String(revision)}`
      : String(args['files'] ?? args['folder'] ?? args['file'] ?? '').replaceAll('\\', '/');
  const key = `${call} ${name}`.trim();
  return lock?.models?.[key] ?? lock?.data?.[key];
}

/** Rows of all its files together; `undefined` where a file's are not counted. */
export function rowsIn({ files = {} }: LockedEntry): number | undefined {
  const counts = Object.values(files).map(({ rows }) => rows);
  if (counts.length === 0) return undefined;
  return counts.reduce((sum, rows) => (sum === undefined || rows === undefined ? undefined : sum + rows), 0);
}
