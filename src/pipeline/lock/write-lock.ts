/** `ftpc lock`: the lock next to a pipeline, made, completed or moved on. */
import { resolve } from 'node:path';
import { userProblem } from '../../compute/models/user-problem.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import { openDigests, readDigestTable } from '../../language/host/digests.js';
import type { Host } from '../../language/host/host.js';
import { EMPTY_LOCK, type Lock, lockPath } from '../../language/schemas/lock-file.js';
import { replaceFile, sweepReplacements } from '../store/index.js';
import { modulesOf } from './lock-entries.js';
import { lockItems, repositoryKey } from './lock-items.js';
import { lockText, openLock } from './lock-text.js';
import { keysOf, type MergedLock, makeLock, means, mergeLocks } from './merge-locks.js';
import { type CompiledPipeline, resolveProgram } from './resolve-program.js';

interface LockRequest {
  /** Entries to update; an empty list means all of them. Default: none. */
  readonly upgrade?: readonly string[];
  readonly pauses?: readonly number[];
}

export type LockOutcome =
  | { readonly diagnostics: readonly Diagnostic[] }
  | (MergedLock & {
      readonly path: string;
      readonly diagnostics: readonly Diagnostic[];
      readonly written: boolean;
    });

/** What a pipeline reads now, as a lock would say it. `moves` tells which entries the Hub is asked for again. */
export async function lockNow(
  compiled: CompiledPipeline,
  host: Host,
  moves: (key: string) => boolean = () => false,
  pauses?: readonly number[],
): Promise<{ readonly lock?: Lock; readonly diagnostics: readonly Diagnostic[] }> {
  const found = await resolveProgram(compiled, host, {
    fresh: (repository) => moves(repositoryKey(repository)),
    heads: false,
    pauses,
  });
  const { program } = found;
  // What differs from the lock is told by the lock itself.
  const diagnostics = found.diagnostics.filter(({ code }) => code !== 'FTP1425' && code !== 'FTP1413');
  if (program === undefined) return { diagnostics };
  try {
    const digests = openDigests(found.host, readDigestTable(host), found.digests);
    const reading = { program, host: found.host, digests, rows: true };
    return { lock: makeLock(compiled.analysis, reading), diagnostics };
  } catch (error) {
    const problem = userProblem(error);
    if (problem === undefined) throw error;
    return { diagnostics: [...diagnostics, problem] };
  }
}

/** Throws a `UserError` if the disk refuses. */
export async function writeLock(
  compiled: CompiledPipeline,
  host: Host,
  { upgrade, pauses }: LockRequest,
): Promise<LockOutcome> {
  const all = upgrade !== undefined && upgrade.length === 0;
  const moves = (key: string): boolean => all || (upgrade ?? []).some((name) => means(name, key));
  const { lock, diagnostics } = await lockNow(compiled, host, moves, pauses);
  if (lock === undefined) return { diagnostics };
  const outcome = place(host, lockPath(compiled.program.file), lock, { moves, only: all });
  return 'code' in outcome ? { diagnostics: [...diagnostics, outcome] } : { ...outcome, diagnostics };
}

/** How often a lock that another process changes meanwhile is joined again. */
const TRIES = 3;

/** Joins with what is there and replaces it in one step. */
function place(
  host: Host,
  name: string,
  now: Lock,
  how: Parameters<typeof mergeLocks>[2],
): Diagnostic | (MergedLock & { readonly path: string; readonly written: boolean }) {
  const path = resolve(host.cwd, name);
  const read = (): string | undefined => (host.stat(path) === undefined ? undefined : host.readText(path));
  for (let tries = 1; ; tries++) {
    const before = openLock(host, name) ?? EMPTY_LOCK;
    if ('code' in before) return before;
    const text = read();
    const joined = mergeLocks(before, now, how);
    const after = lockText(joined.lock);
    if (after === text?.replaceAll('\r\n', '\n')) return { ...joined, path: name, written: false };
    if (read() !== text && tries < TRIES) continue;
    sweepReplacements(path);
    replaceFile(path, after);
    return { ...joined, path: name, written: true };
  }
}

/** Keys of everything that the pipeline reads, or that its lock has. */
export function lockKeys({ program, analysis }: CompiledPipeline, host: Host): readonly string[] {
  const lock = openLock(host, lockPath(program.file));
  const read = lockItems(program, analysis).map(({ key }) => key);
  const modules = Object.keys(modulesOf(analysis, program.folder));
  return [...new Set([...read, ...modules, ...(lock === undefined || 'code' in lock ? [] : keysOf(lock))])];
}
