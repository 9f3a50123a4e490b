/** `ftpc lock`: the lock beside a pipeline, made, completed or moved on. */
import { resolve } from 'node:path';
import type { CompileResult } from '../compile.js';
import type { Diagnostic } from '../diagnostics/types.js';
import { userProblem } from '../models/user-problem.js';
import { openDigests, readDigestTable } from '../source/digests.js';
import type { Host } from '../source/host.js';
import { replaceFile } from '../store/index.js';
import { modulesOf } from './entries.js';
import { type Joined, joinLocks, keysOf, makeLock, means } from './make.js';
import { openLock } from './open.js';
import { repositoryKey } from './pins.js';
import { lockText } from './print.js';
import { readsOf } from './reads.js';
import { resolveProgram } from './resolve.js';
import { EMPTY_LOCK, type Lock, lockPath } from './types.js';

export interface LockRequest {
  /** Entries to take anew; all of them where the list is empty. Left out: none. */
  readonly upgrade?: readonly string[];
  readonly pauses?: readonly number[];
}

export type LockOutcome =
  | { readonly diagnostics: readonly Diagnostic[] }
  | (Joined & {
      readonly path: string;
      readonly diagnostics: readonly Diagnostic[];
      readonly written: boolean;
    });

/** How often a lock that another process changes meanwhile is joined anew. */
const TRIES = 3;

/** Throws a `UserError` where the disk refuses. */
export async function writeLock(
  compiled: Required<Pick<CompileResult, 'program' | 'analysis'>>,
  host: Host,
  { upgrade, pauses }: LockRequest,
): Promise<LockOutcome> {
  const name = lockPath(compiled.program.file);
  const path = resolve(host.cwd, name);
  const all = upgrade !== undefined && upgrade.length === 0;
  const moves = (key: string): boolean => all || (upgrade ?? []).some((wanted) => means(wanted, key));
  const found = await resolveProgram(compiled, host, {
    fresh: (repository) => moves(repositoryKey(repository)),
    ...(pauses === undefined ? {} : { pauses }),
  });
  const { program } = found;
  // What differs from the lock is told by the lock itself, below.
  const diagnostics = found.diagnostics.filter(({ code }) => code !== 'FTP1425' && code !== 'FTP1413');
  if (program === undefined) return { diagnostics };
  let now: Lock;
  try {
    const digests = openDigests(found.host, { ...readDigestTable(host), ...found.digests });
    now = makeLock(compiled.analysis, { program, host: found.host, digests, rows: true });
  } catch (error) {
    const problem = userProblem(error);
    if (problem === undefined) throw error;
    return { diagnostics: [...diagnostics, problem] };
  }
  for (let tries = 1; ; tries++) {
    const text = host.stat(path) === undefined ? undefined : host.readText(path);
    const before = openLock(host, name) ?? EMPTY_LOCK;
    if ('code' in before) return { diagnostics: [...diagnostics, before] };
    const joined = joinLocks(before, now, { moves, only: all });
    const after = lockText(joined.lock);
    const outcome = { ...joined, path: name, diagnostics };
    if (after === text?.replaceAll('\r\n', '\n')) return { ...outcome, written: false };
    const meanwhile = host.stat(path) === undefined ? undefined : host.readText(path);
    if (meanwhile !== text && tries < TRIES) continue;
    replaceFile(path, after);
    return { ...outcome, written: true };
  }
}

/** Keys of everything that the pipeline reads, or that its lock has. */
export function lockKeys(
  { program, analysis }: Required<Pick<CompileResult, 'program' | 'analysis'>>,
  host: Host,
): readonly string[] {
  const lock = openLock(host, lockPath(program.file));
  const read = readsOf(program, analysis).map(({ key }) => key);
  const modules = Object.keys(modulesOf(analysis, program.folder));
  return [...new Set([...read, ...modules, ...(lock === undefined || 'code' in lock ? [] : keysOf(lock))])];
}
