/** A pipeline's plan as any machine makes it: no earlier run counts, and no clock. */
import type { ParamValues } from '../../language/check/overrides.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { type PlanTarget, type Preparation, prepare } from '../../pipeline/prepare/index.js';
import { planOutline } from './plan-outline.js';
import type { MachineRequest, PlanOutline } from './types.js';

export type MachineChoice = Pick<
  PlanTarget,
  'machine' | 'memoryBytes' | 'devices' | 'engine' | 'nodes' | 'sharding'
>;

/** What is said about the machine that was asked for. */
export const machineRequest = ({ machine, memoryBytes, devices }: MachineChoice): MachineRequest => ({
  name: machine ?? null,
  memoryBytes: memoryBytes ?? null,
  devices: devices ?? null,
});

export interface QuietPlan extends Preparation {
  /** With those of the plan. */
  readonly diagnostics: readonly Diagnostic[];
  /** Absent where the pipeline has errors. */
  readonly outline?: PlanOutline;
}

/** A server is asked only for a model or data set of the Hub that is not cached. */
export async function planQuietly(
  host: Host,
  file: string,
  params: ParamValues,
  machine: MachineChoice,
): Promise<QuietPlan> {
  const prepared = await prepare(
    host,
    { file, params, ...machine },
    { hub: 'uncached', speed: 'nominal', runs: 'none', shapes: true },
  );
  const { program, plan, diagnostics } = prepared;
  if (program === undefined || plan === undefined) return prepared;
  return {
    ...prepared,
    diagnostics: [...diagnostics, ...plan.diagnostics],
    outline: planOutline(program, plan, diagnostics, host.cwd),
  };
}
