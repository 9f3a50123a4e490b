/** A pipeline's plan as any machine makes it: no earlier run counts, no clock, and no network. */
import { join, sep } from 'node:path';
import { type CompileResult, compile } from '../compile.js';
import type { Diagnostic } from '../diagnostics/types.js';
import { pinProgram } from '../hub/index.js';
import { lockedCommits, placeOf } from '../lock/index.js';
import { type PlanOptions, plan } from '../planner/plan.js';
import type { Plan } from '../planner/types.js';
import { type Host, HostError } from '../source/host.js';
import { reviewed } from './reviewed.js';
import type { Reviewed } from './types.js';

/** Floating-point operations a second of the machine whose times are compared: about two desktop cores. */
export const NOMINAL_SPEED = 100e9;

export type MachineChoice = Pick<PlanOptions, 'machine' | 'memoryBytes' | 'devices' | 'engine'>;

export interface QuietPlan {
  readonly compiled: CompileResult;
  /** Those of the compilation, of what it names on a hub, and of the plan. */
  readonly diagnostics: readonly Diagnostic[];
  /** Absent where the pipeline has errors. */
  readonly plan?: Plan;
  readonly reviewed?: Reviewed;
}

export async function planQuietly(
  host: Host,
  file: string,
  params: Readonly<Record<string, string>>,
  machine: MachineChoice,
): Promise<QuietPlan> {
  const compiled = compile(host, file, { params });
  const { program, analysis } = compiled;
  if (program === undefined || analysis === undefined) return { compiled, diagnostics: compiled.diagnostics };
  const pinned = await pinProgram(program, withoutRuns(host), {
    offline: true,
    locked: lockedCommits(host, file),
    at: ({ stage, path }) => placeOf(analysis, stage.name, path),
  });
  const found = [...compiled.diagnostics, ...pinned.diagnostics];
  if (pinned.program === undefined) return { compiled, diagnostics: found };
  const made = await plan(pinned.program, pinned.host, {
    ...machine,
    digests: pinned.digests,
    store: { find: () => undefined, resumable: () => false },
    nominal: { flopsPerSecond: NOMINAL_SPEED },
  });
  return {
    compiled,
    diagnostics: [...found, ...made.diagnostics],
    plan: made,
    reviewed: reviewed(pinned.program, made, found, host.cwd),
  };
}

/** Without what earlier runs left, but with the digests of large files: they save time and change nothing. */
function withoutRuns(host: Host): Host {
  const work = join(host.cwd, '.ftp');
  const kept = join(work, 'digests.json');
  const isHidden = (path: string): boolean => path === work || (path.startsWith(work + sep) && path !== kept);
  const shown = <T>(path: string, read: () => T): T => {
    if (isHidden(path)) throw new HostError('not_found', path, 'left out of comparisons');
    return read();
  };
  return {
    ...host,
    stat: (path) => (isHidden(path) ? undefined : host.stat(path)),
    readText: (path) => shown(path, () => host.readText(path)),
    readBytes: (path, start, length) => shown(path, () => host.readBytes(path, start, length)),
    list: (folder) => shown(folder, () => host.list(folder)),
  };
}
