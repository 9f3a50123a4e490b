import { chooseRuntime, isUndecided } from '../../compute/tensor/runtimes/choice.js';
import { identityOf, runtimeProblem } from '../../compute/tensor/runtimes/index.js';
import type { CompileResult } from '../../language/compile.js';
import { nothingToPlan } from '../../language/diagnostics/catalogue/wiring.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { type RuntimeChoice, type RuntimeName, takesLimit } from '../../language/ir/runtimes.js';
import type { Program } from '../../language/ir/types.js';
import type { TrainPlan } from '../../language/schemas/types.js';
import type { Resolution, ResolveOptions } from '../../pipeline/lock/index.js';
import { askedDeviceMemory, askedRuntime } from '../../pipeline/planner/asked-runtime.js';
import { checkModels } from './check-models.js';
import type { OpenedPlan, Prepared, Wanted } from './prepared.js';

/** What a compiled pipeline is computed with; measures what `auto` has to know, once a machine. */
export async function decideRuntime(
  host: Host,
  option: RuntimeChoice | undefined,
  program: Program | undefined,
): Promise<RuntimeName> {
  const asked = askedRuntime(option, program);
  if (isUndecided(host, asked))
    await (await import('../../pipeline/planner/runtime-speed.js')).measureRuntimes(host, asked);
  return chooseRuntime(host, asked);
}

/** Compiles and, where the program has no errors, finds out what its names refer to and plans. */
export async function prepare(host: Host, wanted: Wanted): Promise<Prepared> {
  const { compile } = await import('../../language/compile.js');
  const compiled = await withModels(compile(host, wanted.file, { params: wanted.params }), host);
  if (compiled.program?.stages.length === 0) return refused(compiled, [nothingToPlan(wanted.file)]);
  const { saved } = wanted;
  const moved =
    saved === undefined ? [] : (await import('./saved-plan.js')).movedSince(saved, compiled, host);
  if (moved.length > 0) return refused(compiled, moved);
  const runtime = await decideRuntime(host, wanted.runtime, compiled.program);
  const missing = runtimeProblem(host, runtime);
  if (missing !== undefined) return refused(compiled, [missing]);
  const resolved = await resolveNames(host, compiled, {
    locked: wanted.locked,
    commits: saved && (({ kind, id, revision }) => commitOf(saved, kind, id, revision)),
  });
  if (resolved === undefined) return compiled;
  const { program, lock, digests, fetch } = resolved;
  const identity = identityOf(host, runtime);
  // where the pipeline says the runtime too, the check has said it
  const idle = !takesLimit(runtime) && askedRuntime(wanted.runtime, compiled.program).by === 'pipeline';
  const deviceMemory = idle ? undefined : askedDeviceMemory(compiled.program);
  const { plannedDevice } = await import('./planned-device.js');
  const { diagnostics: ofDevice, ...found } = await plannedDevice(host, identity, deviceMemory);
  const diagnostics = [...compiled.diagnostics, ...resolved.diagnostics, ...ofDevice];
  if (program === undefined) return { ...compiled, program, diagnostics };
  const { plan } = await import('../../pipeline/planner/plan.js');
  const made = await plan(program, resolved.host, {
    ...wanted,
    runtime: identity,
    ...found,
    runtimeOption: wanted.runtime,
    digests,
    settled: saved && choicesOf(saved),
  });
  if (saved !== undefined) {
    const { movedInPlan } = await import('./saved-plan.js');
    const later = movedInPlan(saved, compiled, made);
    if (later.length > 0) return refused({ ...compiled, diagnostics }, later);
  }
  const whole = fetch.length === 0 ? made : { ...made, fetch };
  return { ...compiled, diagnostics, program, lock, plan: whole };
}

/** With what is wrong between its settings and the models that they name. */
async function withModels(compiled: CompileResult, host: Host): Promise<CompileResult> {
  const found = await checkModels(compiled, host);
  const isSound = found.every(({ severity }) => severity !== 'error');
  return {
    ...compiled,
    program: isSound ? compiled.program : undefined,
    diagnostics: [...compiled.diagnostics, ...found],
  };
}

const refused = (compiled: CompileResult, why: readonly Diagnostic[]): Prepared => ({
  ...compiled,
  program: undefined,
  diagnostics: [...compiled.diagnostics, ...why],
});

const commitOf = ({ plan }: OpenedPlan, kind: string, id: string, revision: string): string | undefined =>
  plan.repositories.find((saved) => saved.kind === kind && saved.id === id && saved.revision === revision)
    ?.commit;

const choicesOf = ({ plan }: OpenedPlan): Readonly<Record<string, TrainPlan>> =>
  Object.fromEntries(plan.stages.flatMap(({ name, chosen }) => (chosen === null ? [] : [[name, chosen]])));

/** `undefined` for a program with errors. */
export async function resolveNames(
  host: Host,
  { program, analysis }: CompileResult,
  options: ResolveOptions,
): Promise<Resolution | undefined> {
  if (program === undefined || analysis === undefined) return undefined;
  const { resolveProgram } = await import('../../pipeline/lock/index.js');
  return resolveProgram({ program, analysis }, host, options);
}
