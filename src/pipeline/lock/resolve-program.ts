/** From a checked program to one that can be planned: what its names refer to, by its lock and by the Hub. */
import type { CompileResult } from '../../language/compile.js';
import { lockMissing } from '../../language/diagnostics/catalogue/lock.js';
import { type Diagnostic, isError } from '../../language/diagnostics/types.js';
import { type Digests, type DigestTable, openDigests, readDigestTable } from '../../language/host/digests.js';
import type { Host } from '../../language/host/host.js';
import type { Program } from '../../language/ir/program.js';
import { type Lock, lockPath } from '../../language/schemas/lock-file.js';
import { hubCalls } from '../hub/calls.js';
import { type PinnedProgram, type PinOptions, pinProgram } from '../hub/pin.js';
import { checkLock } from './check-lock.js';
import { firstPlace, lockedCommit } from './lock-items.js';
import { openLock } from './lock-text.js';

export interface LockResolveOptions
  extends Pick<PinOptions, 'fresh' | 'offline' | 'heads' | 'pauses' | 'shapes'> {
  /** Refuses whatever is not as the lock says. */
  readonly locked?: boolean;
  /** Commits that take precedence over those of the lock: a saved plan's. */
  readonly commits?: PinOptions['locked'];
}

export interface PinnedPipeline {
  /** Absent where something is wrong. */
  readonly program?: Program;
  /** Shows files of the Hub that are still to be fetched as far as a plan needs them. */
  readonly host: Host;
  /** Files of the Hub that are still to be fetched. */
  readonly fetch: PinnedProgram['fetch'];
  /** Digests that were computed on the way. */
  readonly digests: DigestTable;
  readonly diagnostics: readonly Diagnostic[];
  readonly lock?: Lock;
}

export type CompiledPipeline = Required<Pick<CompileResult, 'program' | 'analysis'>>;

/** Never throws for what a user or a server can cause. */
export async function resolveProgram(
  { program, analysis }: CompiledPipeline,
  host: Host,
  options: LockResolveOptions = {},
): Promise<PinnedPipeline> {
  const name = lockPath(program.file);
  const strict = options.locked === true;
  const naming = { lockName: name, pipeline: program.file, strict };
  const failed = (diagnostics: readonly Diagnostic[]): PinnedPipeline => ({
    host,
    fetch: [],
    digests: {},
    diagnostics,
  });
  const lock = openLock(host, name);
  if (lock !== undefined && 'code' in lock) return failed([lock]);
  if (lock === undefined && strict) return failed([lockMissing(name, program.file)]);
  const digests = openDigests(host, readDigestTable(host));
  const check = (checked: Program, seen: Host, known: Digests): readonly Diagnostic[] =>
    lock === undefined
      ? []
      : checkLock(lock, analysis, { program: checked, host: seen, digests: known, rows: false }, naming);
  const before = check(program, host, digests);
  if (before.some(isError)) return failed(before);

  const pinned = await pinProgram(program, host, {
    ...options,
    locked: (repository) => options.commits?.(repository) ?? lockedCommit(lock, repository),
    at: (calls) => firstPlace(analysis, calls),
  });
  const known = { ...digests.changed(), ...pinned.digests };
  // What the Hub lists for a commit against what was locked of it; everything else has been looked at.
  const isOnHub =
    pinned.program !== undefined &&
    pinned.program.shapes === undefined &&
    hubCalls(pinned.program.stages).length > 0;
  const said = new Set(before.map(({ message }) => message));
  const onHub = isOnHub
    ? check(pinned.program, pinned.host, openDigests(pinned.host, readDigestTable(pinned.host), known))
    : [];
  const fresh = onHub.filter(({ message }) => !said.has(message));
  const diagnostics = [...before, ...pinned.diagnostics, ...fresh];
  return {
    ...(diagnostics.some(isError) ? {} : { program: pinned.program }),
    host: pinned.host,
    fetch: pinned.fetch,
    digests: known,
    diagnostics,
    ...(lock === undefined ? {} : { lock }),
  };
}

/** A pipeline against its lock, without a server: every difference is an error. */
export function checkAgainst({ program, analysis }: CompiledPipeline, host: Host): readonly Diagnostic[] {
  const name = lockPath(program.file);
  const lock = openLock(host, name);
  if (lock === undefined) return [lockMissing(name, program.file)];
  if ('code' in lock) return [lock];
  const digests = openDigests(host, readDigestTable(host));
  const reading = { program, host, digests, rows: false };
  return checkLock(lock, analysis, reading, { lockName: name, pipeline: program.file, strict: true });
}
