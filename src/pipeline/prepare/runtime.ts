/** What a plan computes with: which runtime, and on what device. */
import { userProblem } from '../../compute/models/user-problem.js';
import { chooseRuntime, DEFAULT_RUNTIME, isUndecided } from '../../compute/tensor/runtimes/choice.js';
import { type RuntimeIdentity, runtimeProblem } from '../../compute/tensor/runtimes/index.js';
import { type Diagnostic, isError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { RunEngine } from '../../language/ir/engines.js';
import type { Program } from '../../language/ir/program.js';
import { type RuntimeChoice, type RuntimeName, takesLimit } from '../../language/ir/runtimes.js';
import { askedDeviceMemory, askedRuntime, computedBy } from '../planner/budget.js';
import type { PlanOptions } from '../planner/plan.js';
import { decideEngine, type EngineInput } from './engine.js';
import type { PlanScope, PlanTarget } from './request.js';
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
  readonly options: Pick<PlanOptions, 'runtimeOption' | 'engineOptions' | 'device' | 'largestTensor'> & {
    readonly engine: RunEngine;
    readonly runtime: RuntimeIdentity;
  };
  readonly diagnostics: readonly Diagnostic[];
}

/** The engine of a plan, its runtime and its device. With a nominal speed, none of them has to be here. */
export async function computing(
  host: Host,
  target: PlanTarget,
  input: Omit<EngineInput, 'options'> & { readonly program: Program },
): Promise<Computing> {
  const { program, speed } = input;
  const { runtime: option } = target;
  const { engine, device, diagnostics } = await decideEngine(host, { ...input, options: target });
  const asked = { engine, runtimeOption: option, engineOptions: target };
  // what is checked next to it, and never measured for it
  const name = await decideRuntime(host, option, program, engine.name === 'embedded' ? speed : 'unknown');
  const options = { ...asked, runtime: computedBy(host, engine, name), ...(device && { device }) };
  if (diagnostics.some(isError) || engine.name === 'accelerate' || speed === 'nominal')
    return { options, diagnostics };
  return onRuntime(host, { name, options, option, program });
}

interface RuntimeInput {
  readonly name: RuntimeName;
  readonly options: Computing['options'];
  readonly option: RuntimeChoice | undefined;
  readonly program: Program;
}

async function onRuntime(host: Host, { name, options, option, program }: RuntimeInput): Promise<Computing> {
  const { runtime } = options;
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
