/** A lock from what a pipeline reads now, and a lock joined with an earlier one. */
import type { Analysis } from '../../language/compile.js';
import type { Lock, LockedEntry, LockedFile } from '../../language/schemas/lock-file.js';
import { entryOf, fileOf, type LockInputs, modulesOf } from './lock-entries.js';
import { lockItems, ownOf } from './lock-items.js';

/** Throws what opening models and files throws. */
export function makeLock(analysis: Analysis, reading: LockInputs): Lock {
  const models: Record<string, LockedEntry> = {};
  const data: Record<string, LockedEntry> = {};
  const files: Record<string, LockedFile> = {};
  for (const named of lockItems(reading.program, analysis)) {
    if (named.section === 'models') models[named.key] = entryOf(named, reading);
    if (named.section === 'data') data[named.key] = entryOf(named, reading);
    if (named.file !== undefined) files[named.key] = fileOf(named.file.path, reading.host, reading.digests);
  }
  return { version: 1, models, data, files, modules: modulesOf(analysis, reading.program.folder) };
}

const SECTIONS = ['models', 'data', 'files', 'modules'] as const;

export interface MergedLock {
  readonly lock: Lock;
  /** Keys that the earlier lock lacked, those that were moved, those that went, and those that differ and stay. */
  readonly added: readonly string[];
  readonly moved: readonly string[];
  readonly removed: readonly string[];
  readonly differing: readonly string[];
}

/**
 * What an earlier lock has stays, and what it lacks is added. Entries for which `moves` holds are taken again; where
 * `only` is set, those that are not read any longer go. A pipeline read with other parameters reads other things, so
 * that an entry which is not read is no mistake.
 */
export function mergeLocks(
  before: Lock,
  now: Lock,
  { moves, only }: { readonly moves: (key: string) => boolean; readonly only: boolean },
): MergedLock {
  const changes = {
    added: [] as string[],
    moved: [] as string[],
    removed: [] as string[],
    differing: [] as string[],
  };
  const join = <T>(
    old: Readonly<Record<string, T>>,
    found: Readonly<Record<string, T>>,
  ): Record<string, T> => {
    const joined: Record<string, T> = {};
    for (const [key, value] of Object.entries(old)) {
      if (only && !Object.hasOwn(found, key)) changes.removed.push(key);
      else joined[key] = value;
    }
    for (const [key, value] of Object.entries(found)) {
      const earlier = ownOf(old, key);
      if (earlier === undefined) changes.added.push(key);
      else if (stable(earlier) === stable(value)) continue;
      else if (moves(key)) changes.moved.push(key);
      else {
        changes.differing.push(key);
        continue;
      }
      joined[key] = value;
    }
    return joined;
  };
  const lock: Lock = {
    version: 1,
    models: join(before.models, now.models),
    data: join(before.data, now.data),
    files: join(before.files, now.files),
    modules: join(before.modules, now.modules),
  };
  return { lock, ...changes };
}

/** Text that does not depend on the order of keys. */
const stable = (value: unknown): string =>
  JSON.stringify(value, (_, field: unknown) =>
    field !== null && typeof field === 'object' ? Object.fromEntries(Object.entries(field).sort()) : field,
  );

/** Whether a name on the command line means an entry: its key, or what is after the function, or the repository alone. */
export const means = (name: string, key: string): boolean => namesOf(key).includes(name);

/** Names of an entry, the shortest last: `hf org/name@main`, `org/name@main`, `org/name`. */
export function namesOf(key: string): readonly string[] {
  const target = key.slice(key.indexOf(' ') + 1);
  return [key, target, target.replace(/@[^@]*$/, '')];
}

export const keysOf = (lock: Lock): readonly string[] =>
  SECTIONS.flatMap((section) => Object.keys(lock[section]));
