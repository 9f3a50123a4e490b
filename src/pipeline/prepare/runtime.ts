/** What a plan computes with: which runtime, and on what device. */
import { userProblem } from '../../compute/models/user-problem.js';
import { chooseRuntime, DEFAULT_RUNTIME, isUndecided } from '../../compute/tensor/runtimes/choice.js';
import { identityOf, type RuntimeIdentity, runtimeProblem } from '../../compute/tensor/runtimes/index.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { Program } from '../../language/ir/program.js';
import { type RuntimeChoice, type RuntimeName, takesLimit } from '../../language/ir/runtimes.js';
import { askedDeviceMemory, askedRuntime } from '../planner/budget.js';
import type { PlanOptions } from '../planner/plan.js';
import type { PlanScope } from './request.js';
import { tensorDevice } from './tensor-device.js';

/** What a compiled pipeline is computed with; measures what `auto` has to know, once per machine, where it may. */
export async function decideRuntime(
  host: Host,
  option: RuntimeChoice | undefined,
  program: Program | undefined,
  speed: PlanScope['speed'] = 'measured',
): Promise<RuntimeName> {
  const asked = askedRuntime(option, program);
  if (speed === 'nominal' && asked.choice === 'auto') return DEFAULT_RUNTIME;
  if (speed === 'measured' && isUndecided(host, asked))
    await (await import('../planner/runtime-speed.js')).measureRuntimes(host, asked);
  return chooseRuntime(host, asked);
}

export interface Computing {
  readonly options: Pick<PlanOptions, 'runtimeOption' | 'device' | 'largestTensor'> & {
    readonly runtime: RuntimeIdentity;
  };
  readonly diagnostics: readonly Diagnostic[];
}

/** The runtime of a plan and its device. With a nominal speed, neither has to be here. */
export async function computing(
  host: Host,
  option: RuntimeChoice | undefined,
  program: Program,
  speed: PlanScope['speed'],
): Promise<Computing> {
  const name = await decideRuntime(host, option, program, speed);
  const runtime = identityOf(host, name);
  const options = { runtime, runtimeOption: option };
  if (speed === 'nominal') return { options, diagnostics: [] };
  const missing = runtimeProblem(host, name);
  if (missing !== undefined) return { options, diagnostics: [missing] };
  // where the pipeline says the runtime too, the check has said it
  const isTold = !takesLimit(name) && askedRuntime(option, program).by === 'pipeline';
  try {
    const limit = isTold ? undefined : askedDeviceMemory(program);
    const { diagnostics, ...device } = await tensorDevice(host, runtime, limit);
    return { options: { ...options, ...device }, diagnostics };
  } catch (error) {
    const problem = userProblem(error);
    if (problem === undefined) throw error;
    return { options, diagnostics: [problem] };
  }
}
