/** Saved plans: written by `ftpc plan --out`, held to by `ftpc run PLANFILE`. */
import { resolve } from 'node:path';
import { isRuntime } from '../../compute/tensor/runtimes/index.js';
import type { CompileResult } from '../../language/compile.js';
import { planMoved } from '../../language/diagnostics/catalogue/lock.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { ftpcVersion } from '../../language/host/version.js';
import type { EngineOptions } from '../../language/ir/engines.js';
import { lockPath, placeOf } from '../lock/index.js';
import { runtimeName } from '../planner/keys.js';
import type { Plan } from '../planner/plan-json.js';
import {
  environmentDifferences,
  lockDigest,
  type PlanDifference,
  planDifferences,
  programDifferences,
  readSavedPlan,
  type SavedPlan,
  savedDevice,
  savedPlan,
  savedProgram,
  savedSecrets,
} from '../planner/saved/index.js';
import { replaceFile } from '../store/index.js';
import type { PlanRequest, Preparation, SavedPlanFile } from './request.js';
import type { Computing } from './runtime.js';

/** What a run of a saved plan is prepared with. Throws a `UserError`. */
export function openSavedPlan(host: Host, name: string): PlanRequest {
  const plan = readSavedPlan(host, resolve(host.cwd, name), name);
  const { pipeline, params, machine } = plan;
  return {
    file: pipeline,
    params,
    memoryBytes: machine.memoryBytes,
    ...engineNamed(plan),
    threads: machine.threads,
    saved: { name, plan },
  };
}

/** What a plan was made with, whatever its version here. */
function engineNamed({ runtime, ranks }: SavedPlan): Pick<PlanRequest, 'runtime' | keyof EngineOptions> {
  if (ranks !== undefined) {
    const { devices, nodes, sharding } = ranks;
    return { engine: 'accelerate', devices, nodes, sharding };
  }
  const [name = ''] = runtime.split(' ');
  return { engine: 'embedded', runtime: isRuntime(name) ? name : 'onnx' };
}

/** Writes a plan that can be run as it is. Throws a `UserError` if the disk refuses. */
export function savePlan(
  host: Host,
  out: string,
  { program, plan, compiled: { analysis } }: Preparation,
  { params, threads = host.machine().cores }: PlanRequest,
): void {
  if (program === undefined || plan === undefined || analysis === undefined) return;
  const saved = savedPlan({
    program,
    plan,
    host,
    ftpc: ftpcVersion(host),
    threads,
    params,
    secrets: analysis.main.tree.secrets,
    lock: lockText(host, program.file),
  });
  replaceFile(resolve(host.cwd, out), `${JSON.stringify(saved, null, 2)}\n`);
}

function lockText(host: Host, pipeline: string): string | undefined {
  const path = resolve(host.cwd, lockPath(pipeline));
  return host.stat(path)?.isFolder === false ? host.readText(path) : undefined;
}

/** What moved of the program and around it, before anything is looked up or planned. */
export function movedSince(
  { name, plan }: SavedPlanFile,
  { program, analysis }: Pick<CompileResult, 'program' | 'analysis'>,
  host: Host,
  { runtime, engine, device }: Computing['options'],
): readonly Diagnostic[] {
  if (program === undefined || analysis === undefined) return [];
  const moves = [
    ...environmentDifferences(plan, {
      ftpc: ftpcVersion(host),
      runtime: runtimeName(runtime),
      engine: engine.name,
      ...(engine.name === 'accelerate' && { ranks: engine }),
      ...(device && { device: savedDevice(device) }),
      memoryBytes: host.machine().memoryBytes,
      secrets: savedSecrets(analysis.main.tree.secrets, host),
      lock: lockDigest(lockText(host, program.file)),
    }),
    ...programDifferences(plan.program, savedProgram(program)),
  ];
  return asDiagnostics(moves, { name, plan }, analysis);
}

/** What moved of the files that the stages read, and of what was chosen. */
export const movedInPlan = (
  { name, plan }: SavedPlanFile,
  { analysis }: CompileResult,
  made: Plan,
): readonly Diagnostic[] => asDiagnostics(planDifferences(plan, made), { name, plan }, analysis);

/** Each thing once: several stages may read one file. */
function asDiagnostics(
  moves: readonly PlanDifference[],
  { name, plan }: SavedPlanFile,
  analysis: CompileResult['analysis'],
): readonly Diagnostic[] {
  const all = moves.map((move) => {
    const at =
      analysis === undefined || move.place === undefined
        ? undefined
        : placeOf(analysis, move.place.stage, move.place.path);
    return planMoved(at, move, name, plan.pipeline);
  });
  const said = new Set<string>();
  return all.filter(({ message }) => !said.has(message) && said.add(message));
}
