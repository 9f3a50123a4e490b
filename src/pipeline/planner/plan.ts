/**
 * What a run would do and why, what it needs, and what was chosen: keys first (what is cached costs nothing more),
 * then choices where something is left to choose, then memory, time and disk.
 */
import { userProblem } from '../../compute/models/user-problem.js';
import { isError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { AccelerateRun } from '../../language/ir/engines.js';
import type { Program } from '../../language/ir/program.js';
import { withWinner } from '../../language/ir/search.js';
import { openStore } from '../store/index.js';
import { askedEngine, askedRuntime, ranksOf, refersTo, requirementsOf, TIMED } from './budget.js';
import { type BudgetedPlan, brokenBudgets, unknownCosts } from './budget-diagnostics.js';
import { figuresOf, limitsOf, plannedBudget } from './budgeted-stages.js';
import { runtimeName } from './keys.js';
import { parallelPlan } from './parallel-stages.js';
import { speedPath } from './plan-cache.js';
import type { PlanContext } from './plan-context.js';
import { slowProducts, slowSteps } from './plan-diagnostics.js';
import type {
  BudgetLine,
  Plan,
  PlanCost,
  PlannedRanks,
  PlannedSearch,
  PlannedStage,
  Pricing,
  Seconds,
} from './plan-json.js';
import { openPlanSession, type PlanOptions } from './plan-session.js';
import { planStage, unknownStage } from './plan-stage.js';
import { costOf, eachOf, gpuHours } from './price.js';
import { decidedSearch, foundBefore, withSearch } from './search/planned.js';
import { wentBack } from './went-back.js';

export type { PlanOptions } from './plan-session.js';

/**
 * Never throws for what a user can cause: that is in `diagnostics`, and `valid` is false. Where a run has found the winner of the
 * program's search, the plan is that of the program with it (`decidedProgram`).
 */
export async function plan(program: Program, host: Host, options: PlanOptions = {}): Promise<Plan> {
  const { search } = program;
  const found = await planProgram(program, host, options);
  const known = search && foundBefore(host, search, found.stages);
  if (search === undefined || known === undefined) return found;
  const decided = decidedSearch(search, known);
  return { ...(await planProgram(decidedProgram(program, decided), host, options)), search: decided };
}

/** The program that a plan is of: where the winner of its search is known, with that alone. */
export const decidedProgram = (program: Program, planned: Plan['search']): Program => {
  const { search } = program;
  const { winner, outcomes } = planned ?? {};
  return search === undefined || winner === undefined || outcomes === undefined
    ? program
    : { ...withWinner(program, search, { winner, ends: outcomes.map(({ end }) => end) }), search: undefined };
};

async function planProgram(program: Program, host: Host, options: PlanOptions): Promise<Plan> {
  const { context, diagnostics, keep } = openPlanSession(
    program,
    host,
    options,
    openStore(host.cwd, host.store),
  );
  const { first, closest = first } = await planStages(context);
  const { stages, search, budget } = first;
  keep();
  for (const slow of options.notice === undefined ? [] : slowSteps(program, stages, options.notice))
    context.report(slow);
  for (const trained of wentBack(context)) context.report(trained);
  const { machine } = context;
  const gpu = machine.devices[0]?.name ?? context.device?.name ?? 'the GPU';
  for (const slow of slowProducts(program, context.engine, gpu)) context.report(slow);
  const parallel = parallelPlan(context, stages);
  for (const unknown of unknownCosts(program, budget, machine.name)) context.report(unknown);
  const valid = !diagnostics.some(isError);
  const isSpeedStored = host.stat(speedPath(host)) !== undefined;
  if (valid)
    for (const broken of brokenBudgets(program, {
      ...closest,
      isSpeedStored,
      isForetold: context.engine.name === 'accelerate',
    }))
      context.report(broken);
  return {
    version: 1,
    pipeline: program.name,
    engine: context.engine.name,
    engineSetBy: askedEngine(options.engineOptions ?? {}, program).by,
    ...(context.engine.name === 'accelerate' ? { ranks: plannedRanks(context.engine) } : {}),
    ...(context.network && { network: context.network }),
    machine: {
      name: machine.name,
      memoryBytes: machine.memoryBytes,
      availableBytes: context.availableBytes,
      devices: machine.devices,
    },
    runtime: runtimeName(context.runtime),
    runtimeSetBy: askedRuntime(options.runtimeOption, program).by,
    ...(context.device === undefined ? {} : { device: context.device }),
    valid,
    stages,
    totals: { ...figuresOf(stages), diskBytes: stages.reduce((sum, { diskBytes }) => sum + diskBytes, 0) },
    parallel,
    ...(search === undefined ? {} : { search }),
    cost: costOfRun(parallel.seconds, context.pricing),
    budget,
    diagnostics,
  };
}

const plannedRanks = ({ bf16Unknown, ...ranks }: AccelerateRun): PlannedRanks => ({
  ...ranksOf(ranks),
  ...(bf16Unknown && { bf16Unknown }),
});

const searched = (
  program: Program,
  stages: readonly PlannedStage[],
): { readonly stages: readonly PlannedStage[]; readonly search?: PlannedSearch } =>
  program.search === undefined ? { stages } : withSearch(program, program.search, stages);

const costOfRun = (seconds: Seconds | null, pricing: Pricing): PlanCost => ({
  ...pricing,
  usd:
    seconds === null || pricing.usdPerHour === null
      ? null
      : eachOf(seconds, (one) => costOf(one, pricing) ?? 0),
  gpuHours: seconds && eachOf(seconds, (one) => gpuHours(one, pricing)),
});

/** The time of the whole run is known when every stage is planned: where it is too long, all are planned once more. */
async function planStages(
  context: PlanContext,
): Promise<{ readonly first: SearchedPlan; readonly closest?: SearchedPlan }> {
  const first = await planOnce(context, []);
  const requirements = requirementsOf(context.program);
  const isTooSlow = first.budget.some(({ holds }, index) => {
    const requirement = requirements[index];
    return (
      holds === false && requirement !== undefined && TIMED.some((metric) => refersTo(requirement, metric))
    );
  });
  if (!isTooSlow) return { first };
  const quicker = await planOnce(context, first.stages);
  const holds = quicker.budget.every((line) => line.holds !== false);
  return holds ? { first: quicker } : { first, closest: quicker };
}

/** `before`: the stages as they were planned without a limit on the whole. */
async function planOnce(context: PlanContext, before: readonly PlannedStage[]): Promise<SearchedPlan> {
  const stages: PlannedStage[] = [];
  const wouldHelp = new Map<string, string>();
  for (const stage of context.program.stages) {
    const others = [...stages, ...before.slice(stages.length + 1)];
    try {
      const { planned, help } = await planStage(context, stage, limitsOf(context, stage.name, others));
      stages.push(planned);
      if (help !== undefined) wouldHelp.set(stage.name, help);
    } catch (error) {
      const problem = userProblem(error);
      if (problem === undefined) throw error;
      context.report(problem);
      stages.push(unknownStage(stage));
    }
  }
  const found = searched(context.program, stages);
  return { ...found, wouldHelp, budget: budgetOf(context, found.stages) };
}

interface SearchedPlan extends BudgetedPlan {
  readonly search?: PlannedSearch;
}

const budgetOf = (context: PlanContext, stages: readonly PlannedStage[]): readonly BudgetLine[] =>
  context.program.budgets.length === 0
    ? []
    : plannedBudget(context.program, stages, (counted) => parallelPlan(context, counted), context.pricing);
