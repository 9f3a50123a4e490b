/** A pipeline's plan as any machine makes it: no earlier run counts, and no clock. */
import { join, sep } from 'node:path';
import type { ParamValues } from '../../language/check/overrides.js';
import { type CompileResult, compile } from '../../language/compile.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import { type Host, HostError } from '../../language/host/host.js';
import { lint } from '../../language/lint/index.js';
import { hubCalls } from '../../pipeline/hub/index.js';
import { resolveProgram } from '../../pipeline/lock/index.js';
import { type PlanOptions, plan } from '../../pipeline/planner/plan.js';
import type { Plan } from '../../pipeline/planner/types.js';
import { reviewed } from './reviewed.js';
import type { Reviewed } from './types.js';

/** Floating-point operations a second of the machine whose times are compared: about two desktop cores. */
export const NOMINAL_SPEED = 100e9;

export type MachineChoice = Pick<PlanOptions, 'machine' | 'memoryBytes' | 'devices' | 'engine'>;

export interface QuietPlan {
  readonly compiled: CompileResult;
  /** Those of the compilation, of the lock and what it names on a hub, and of the plan. */
  readonly diagnostics: readonly Diagnostic[];
  /** What lints say. */
  readonly advice: readonly Diagnostic[];
  /** Absent where the pipeline has errors. */
  readonly plan?: Plan;
  readonly reviewed?: Reviewed;
}

export async function planQuietly(
  host: Host,
  file: string,
  params: ParamValues,
  machine: MachineChoice,
): Promise<QuietPlan> {
  const compiled = compile(host, file, { params });
  const { program, analysis } = compiled;
  const advice = lint(compiled, host);
  const failed = (diagnostics: readonly Diagnostic[]): QuietPlan => ({ compiled, advice, diagnostics });
  if (program === undefined || analysis === undefined) return failed(compiled.diagnostics);
  const resolved = await resolveHere({ program, analysis }, withoutRuns(host));
  const found = [...compiled.diagnostics, ...resolved.diagnostics];
  if (resolved.program === undefined) return failed(found);
  const made = await plan(resolved.program, resolved.host, {
    ...machine,
    digests: resolved.digests,
    store: { find: () => undefined, resumable: () => false },
    nominal: { flopsPerSecond: NOMINAL_SPEED },
  });
  return {
    ...failed([...found, ...made.diagnostics]),
    plan: made,
    reviewed: reviewed(resolved.program, made, found, host.cwd),
  };
}

/** From what is cached; a server is asked only for a model or data set of the Hub that is not. */
async function resolveHere(
  compiled: Parameters<typeof resolveProgram>[0],
  host: Host,
): ReturnType<typeof resolveProgram> {
  const cached = await resolveProgram(compiled, host, { offline: true });
  const isWhole = cached.program !== undefined || hubCalls(compiled.program.stages).length === 0;
  return isWhole ? cached : resolveProgram(compiled, host);
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
