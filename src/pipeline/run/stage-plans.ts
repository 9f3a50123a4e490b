import type { Program } from '../../language/ir/program.js';
import type { Plan } from '../planner/types.js';
import type { StagePlan } from './run-context.js';

/** The stages that are to run, in order, each with what the plan says about it; with `only`, these and all that they read. */
export function stagePlansOf(program: Program, plan: Plan, only?: readonly string[]): readonly StagePlan[] {
  const wanted = only === undefined ? undefined : reachable(program, only);
  return program.stages
    .filter((stage) => wanted === undefined || wanted.has(stage.name))
    .map((stage) => {
      const planned = plan.stages.find(({ name }) => name === stage.name);
      if (planned === undefined) throw new Error(`the plan knows no stage ${stage.name}`);
      const { key, parts, reasons, chosen, residency } = planned;
      return { stage, key, parts, reasons, trainPlan: chosen ?? undefined, residency };
    });
}

/** Names of stages and of everything that they read. */
function reachable(program: Program, names: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>(names);
  for (const stage of program.stages.toReversed())
    if (found.has(stage.name)) for (const input of stage.inputs) found.add(input);
  return found;
}
