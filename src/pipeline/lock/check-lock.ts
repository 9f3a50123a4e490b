/** A pipeline against its lock: what differs, each at its place. No server is asked. */
import { join } from 'node:path';
import { userProblem } from '../../compute/models/user-problem.js';
import type { Analysis } from '../../language/compile.js';
import { drifted, driftNoticed, notLocked } from '../../language/diagnostics/catalogue/lock.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Call } from '../../language/ir/program.js';
import type { Lock, LockedEntry, LockedFile } from '../../language/schemas/lock-file.js';
import { pinnedCommit, type Repository, repositoryOf } from '../../language/schemas/repositories.js';
import type { Span } from '../../language/source/span.js';
import { snapshotFolder } from '../stages/hub-repositories.js';
import { entryOf, fileOf, type LockInputs, modulesOf } from './lock-entries.js';
import { type LockItem, lockItems, ownOf } from './lock-items.js';

interface CheckOptions {
  /** Path of the lock and of the pipeline for people. */
  readonly lockName: string;
  readonly pipeline: string;
  /** Every difference is an error, and so is what is not in the lock. */
  readonly strict: boolean;
}

/** A difference of a pipeline from its lock. */
export function checkLock(
  lock: Lock,
  analysis: Analysis,
  reading: LockInputs,
  options: CheckOptions,
): readonly Diagnostic[] {
  const { lockName, pipeline, strict } = options;
  const found: Diagnostic[] = [];
  const missing = (at: Span | undefined, what: string): void => {
    if (strict) found.push(notLocked(at, what, lockName, pipeline));
  };
  const differ = (at: Span | undefined, what: string, differences: readonly string[]): void => {
    if (differences.length > 0)
      found.push((strict ? drifted : driftNoticed)(at, { what, differences }, lockName, pipeline));
  };
  for (const named of lockItems(reading.program, analysis)) {
    try {
      const differences = differencesOf(named, lock, reading);
      if (differences === undefined) missing(named.at, named.what);
      else differ(named.at, named.what, differences);
    } catch (error) {
      const problem = userProblem(error);
      if (problem === undefined) throw error;
      found.push({ ...problem, at: named.at ?? problem.at });
    }
  }
  // A newer ftpc brings other modules: worth mentioning only to those who asked for strictness.
  for (const [name, { sha256 }] of strict
    ? Object.entries(modulesOf(analysis, reading.program.folder))
    : []) {
    const locked = ownOf(lock.modules, name);
    const what = `the module \`${name}\``;
    if (locked === undefined) missing(importOf(analysis, name), what);
    else if (locked.sha256 !== sha256) differ(importOf(analysis, name), what, [otherText(name)]);
  }
  return found;
}

const otherText = (name: string): string =>
  name.startsWith('std/') ? 'its text differs: it comes with ftpc' : 'its text differs';

const importOf = ({ main }: Analysis, name: string): Span | undefined =>
  main.imports.find(({ statement }) => statement.from.text === name)?.statement.from.span;

/** Sentences; `undefined` if the lock has no such entry. */
function differencesOf(named: LockItem, lock: Lock, reading: LockInputs): readonly string[] | undefined {
  if (named.file !== undefined) {
    const locked = ownOf(lock.files, named.key);
    if (locked === undefined) return undefined;
    return fileDifference(named.key, locked, fileOf(named.file.path, reading.host, reading.digests));
  }
  const locked = ownOf(named.section === 'models' ? lock.models : lock.data, named.key);
  if (locked === undefined) return undefined;
  const repository = named.calls[0] === undefined ? undefined : repositoryOf(named.calls[0]);
  if (repository === undefined) return entryDifferences(locked, entryOf(named, reading));
  if (named.calls.every(isPinned)) return hubDifferences(locked, entryOf(named, reading), named);
  return cacheDifferences(locked, repository, reading);
}

const isPinned = (call: Call): boolean => pinnedCommit(call) !== undefined;

function entryDifferences(locked: LockedEntry, now: LockedEntry): readonly string[] {
  const licence =
    locked.licence === now.licence
      ? []
      : [`the licence is ${now.licence ?? 'unknown'} instead of ${locked.licence ?? 'unknown'}`];
  const names = [...new Set([...Object.keys(locked.files), ...Object.keys(now.files)])].sort();
  const files = names.flatMap((name) => {
    const [before, after] = [ownOf(locked.files, name), ownOf(now.files, name)];
    if (before === undefined) return [`\`${name}\` is new`];
    if (after === undefined) return [`\`${name}\` is no longer there`];
    return fileDifference(name, before, after);
  });
  return [...licence, ...files];
}

function fileDifference(name: string, before: LockedFile, after: LockedFile): readonly string[] {
  if (before.sha256 === after.sha256) return [];
  return [
    before.bytes === after.bytes
      ? `\`${name}\` has different content of the same size`
      : `\`${name}\` has ${after.bytes} bytes instead of ${before.bytes}`,
  ];
}

/** A split that is read besides those that were locked adds files of the same commit. */
function hubDifferences(locked: LockedEntry, now: LockedEntry, { section }: LockItem): readonly string[] {
  if (locked.commit !== now.commit)
    return [`the commit is ${now.commit?.slice(0, 12)} instead of ${locked.commit?.slice(0, 12)}`];
  const read =
    section === 'data'
      ? Object.fromEntries(Object.entries(locked.files).filter(([name]) => name in now.files))
      : locked.files;
  return entryDifferences({ ...locked, files: read }, now);
}

/** Without a server: the files that have been fetched. The others are held to the lock when they come. */
function cacheDifferences(
  locked: LockedEntry,
  repository: Repository,
  { host, digests }: LockInputs,
): readonly string[] {
  if (locked.commit === undefined) return ['the lock names no commit'];
  const folder = snapshotFolder(host, repository, locked.commit);
  return Object.entries(locked.files).flatMap(([name, file]) => {
    const path = join(folder, name);
    return host.stat(path)?.isFolder === false ? fileDifference(name, file, fileOf(path, host, digests)) : [];
  });
}
