/** A lock from its file. Others write into the repository too: nothing of it is believed before it has been looked at. */
import { lockConflict, lockUnreadable } from '../../language/diagnostics/catalogue/lock.js';
import { UserError } from '../../language/diagnostics/types.js';
import { type Host, HostError } from '../../language/host/host.js';
import { isCommit, isSafeName } from '../../language/schemas/repositories.js';
import type { Lock, LockedEntry, LockedFile } from './types.js';

/** A lock has a line a file: no pipeline reads so many. */
const MOST_BYTES = 32_000_000;

/** `undefined` where there is no such file. `name` is the path for people. Throws a `UserError`. */
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
  const bad = (detail: string): UserError => new UserError(lockUnreadable(name, detail));
  let value: unknown;
  try {
    value = JSON.parse(clean);
  } catch (error) {
    throw bad(error instanceof Error ? error.message : String(error));
  }
  if (!isObject(value)) throw bad('it is not an object');
  if (value['version'] !== 1)
    throw bad(`its version is ${JSON.stringify(value['version'])}; this ftpc reads version 1`);
  return {
    version: 1,
    models: section(value, 'models', entryOf, bad),
    data: section(value, 'data', entryOf, bad),
    files: section(value, 'files', fileOf, bad),
    modules: section(value, 'modules', moduleOf, bad),
  };
}

type Json = Readonly<Record<string, unknown>>;
type Fail = (detail: string) => UserError;
/** A value as it should be, or what is wrong with it. */
type Read<T> = (value: unknown, key: string) => T | string;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function section<T extends object>(
  root: Json,
  name: string,
  read: Read<T>,
  bad: Fail,
): Readonly<Record<string, T>> {
  const value = root[name];
  if (!isObject(value)) throw bad(`it has no object \`${name}\``);
  const entries = Object.entries(value).map(([key, found]) => {
    if (!isPlain(key)) throw bad(`\`${name}\` has a name with control characters`);
    const entry = read(found, key);
    if (typeof entry === 'string') throw bad(`\`${name}\`, \`${key}\`: ${entry}`);
    return [key, entry] as const;
  });
  return Object.fromEntries(entries);
}

/** Names are shown: none may speak to a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const isPlain = (text: string): boolean => !/[\u0000-\u001f\u007f-\u009f]/.test(text);

const isSha256 = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function fileOf(value: unknown): LockedFile | string {
  if (!isObject(value)) return 'no object';
  const { bytes, sha256, rows } = value;
  if (!isCount(bytes)) return '`bytes` is not a count';
  if (!isSha256(sha256)) return '`sha256` is not a digest';
  if (rows !== undefined && !isCount(rows)) return '`rows` is not a count';
  return { bytes, sha256, ...(rows === undefined ? {} : { rows }) };
}

function moduleOf(value: unknown): { readonly sha256: string } | string {
  return isObject(value) && isSha256(value['sha256'])
    ? { sha256: value['sha256'] }
    : '`sha256` is not a digest';
}

function entryOf(value: unknown): LockedEntry | string {
  if (!isObject(value) || !isObject(value['files'])) return 'it lists no files';
  const { commit, licence, files } = value;
  if (commit !== undefined && !isCommit(commit)) return '`commit` is not a commit';
  if (licence !== undefined && typeof licence !== 'string') return '`licence` is not a string';
  const read: [string, LockedFile][] = [];
  for (const [name, found] of Object.entries(files)) {
    if (!isPlain(name)) return 'a file has a name with control characters';
    const file = fileOf(found);
    if (typeof file === 'string') return `\`${name}\`: ${file}`;
    // Files of a repository become paths in the cache; those of the project are only compared with what is read.
    if (commit !== undefined && !isSafeName(name)) return `\`${name}\` would be outside its folder`;
    read.push([name, file]);
  }
  return {
    ...(commit === undefined ? {} : { commit }),
    ...(licence === undefined ? {} : { licence }),
    files: Object.fromEntries(read),
  };
}
