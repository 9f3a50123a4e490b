/**
 * What a run would do and why, what it needs, and what was chosen: keys first (what is cached costs nothing more),
 * then choices where something is left to choose, then memory, time and disk.
 */

import { userProblem } from '../../compute/models/user-problem.js';
import { identityOf } from '../../compute/tensor/runtimes/index.js';
import { type Diagnostic, isError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { AccelerateRun } from '../../language/ir/engines.js';
import type { Reason, StageAction } from '../../language/ir/events.js';
import type { Program, Stage, Value } from '../../language/ir/program.js';
import { RUNTIME_NAMES } from '../../language/ir/runtimes.js';
import { withWinner } from '../../language/ir/search.js';
import { takenSettings } from '../stages/train/adapters/kinds.js';
import { coverageOf } from '../stages/train/coverage.js';
import { readSummary } from '../stages/train/result-files.js';
import { withResidency } from '../stages/train-plan/fields.js';
import type { TrainPlan } from '../stages/train-plan/plan.js';
import { openStore } from '../store/index.js';
import { askedEngine, askedRuntime, ranksOf, refersTo, requirementsOf, TIMED } from './budget.js';
import { type BudgetedPlan, brokenBudgets, unknownCosts } from './budget-diagnostics.js';
import { figuresOf, limitsOf, plannedBudget } from './budgeted-stages.js';
import { effectiveSettings } from './effective.js';
import { estimate } from './estimate/index.js';
import { comparableRecord } from './history.js';
import { keyOf, runtimeName, type StageKey, stageParts } from './keys.js';
import { NO_PARTS } from './memory/peaks.js';
import { decoderShape } from './memory/train.js';
import { fitsIn, tighter } from './memory-budget.js';
import { parallelPlan } from './parallel-stages.js';
import { speedPath } from './plan-cache.js';
import { neverResumable, type PlanContext } from './plan-context.js';
import { missingSecrets, notFit, slowProducts, slowSteps, stageTooLarge } from './plan-diagnostics.js';
import type {
  BudgetLine,
  Peak,
  Plan,
  PlanCost,
  PlannedRanks,
  PlannedSearch,
  PlannedStage,
  Pricing,
  RejectedPlan,
  Seconds,
  StageLimits,
} from './plan-json.js';
import { openPlanSession, type PlanOptions } from './plan-session.js';
import { costOf, eachOf, gpuHours } from './price.js';
import { reason, resumed, runReasons } from './reasons.js';
import { scaleOf } from './scale.js';
import { decidedSearch, foundBefore, withSearch } from './search/planned.js';
import { NO_TIME } from './speed.js';
import { decide, earlierPlan } from './train-choice.js';
import { memoryBudgetOf, type TrainFacts, trainFacts } from './train-stage.js';
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

interface StageDecision {
  readonly key: StageKey;
  readonly trainPlan?: TrainPlan;
  readonly facts?: TrainFacts;
  readonly rejected: readonly RejectedPlan[];
  readonly problem?: Diagnostic;
  /** Left out where nothing is chosen. */
  readonly limits?: StageLimits;
  readonly wouldHelp?: string;
}

interface StagePlanning {
  readonly planned: PlannedStage;
  /** What the file does not list and with which the stage would fit. */
  readonly help?: string;
}

async function planStage(context: PlanContext, stage: Stage, limits: StageLimits): Promise<StagePlanning> {
  const decided =
    stage.kind === 'train' ? await decideTrain(context, stage, limits) : decidePlain(context, stage);
  const { key, trainPlan, rejected, problem } = decided;
  context.keys.set(stage.name, key);
  if (trainPlan !== undefined) context.trainPlans.set(stage.name, trainPlan);
  const entry = context.store.find(key.key, { report: context.report });
  const cached = entry !== undefined;
  const facts =
    decided.facts ?? (stage.kind === 'train' ? await trainFacts(context, stage, false) : undefined);
  const { decides, ...found } = await estimate({
    ...{ context, stage, trainPlan, facts, look: !cached },
    limit: limits.memory,
  });
  const scale = await scaleOf({ context, stage, trainPlan, facts, look: !cached, entry });
  const { action, reasons } = whatToDo(context, stage, { key, trainPlan, cached });
  if (!cached) for (const missing of missingSecrets(stage, context.host)) context.report(missing);
  if (problem !== undefined && !cached) context.report(problem);
  else if (!cached && stage.kind !== 'train' && found.peak !== null && isBeyond(found.peak, context))
    context.report(
      stageTooLarge(stage, found.peak, {
        budget: memoryBudgetOf(context),
        isSpread: isOnGpus(context) && stage.kind !== 'data' && stage.kind !== 'format',
      }),
    );
  const shown = decided.limits ?? (decides ? { ...limits, decides } : limits);
  const planned = {
    name: stage.name,
    instance: stage.instance,
    kind: stage.kind,
    action,
    reasons,
    peak: entry === undefined ? found.peak : measuredPeak(found.peak, entry.record.peakMemoryBytes),
    seconds: cached ? NO_TIME : found.seconds,
    diskBytes: cached ? 0 : found.diskBytes,
    chosen: trainPlan ?? null,
    residency: found.residency,
    encoders: found.encoders,
    ...(found.publishes === undefined ? {} : { publishes: found.publishes }),
    ...(found.pace === undefined ? {} : { pace: found.pace }),
    rejected,
    ...(cached || Object.keys(shown).length === 0 ? {} : { limits: shown }),
    effective: effectiveSettings(stage, trainPlan, takenFields(context, stage)),
    scale,
    ...coverage(facts, trainPlan),
    ...key,
  };
  return { planned, help: decided.wouldHelp };
}

const isOnGpus = ({ engine }: PlanContext): boolean =>
  engine.name === 'accelerate' && engine.device === 'cuda';

/** A stage with nothing to choose is given the benefit of the doubt: its expected peak counts. */
function isBeyond(peak: Peak, context: PlanContext): boolean {
  const { needs, available } = tighter(peak, memoryBudgetOf(context));
  return peak.refused !== undefined || needs.bytes > available;
}

function coverage(
  facts: TrainFacts | undefined,
  trainPlan: TrainPlan | undefined,
): Pick<PlannedStage, 'coverage'> {
  if (facts === undefined || trainPlan === undefined) return {};
  const { config, adapter } = decoderShape(facts.memory, trainPlan);
  return { coverage: coverageOf(config, adapter).modules };
}

/** What a train stage takes from the adapter that it continues from. */
function takenFields(context: PlanContext, stage: Stage): Readonly<Record<string, Value | undefined>> {
  const base = stage.settings['start'] == null ? undefined : context.models.of(stage.settings['base']);
  if (base === undefined) return {};
  return takenSettings(context.adapter(stage, base), base.config);
}

function decidePlain(context: PlanContext, stage: Stage): StageDecision {
  return {
    key: keyOf(stageParts(context.program, stage, context.host, context, context.keys), undefined),
    rejected: [],
  };
}

/** A plan that has led to an output is kept, and how the base was held for it: nothing is measured for it. */
async function decideTrain(context: PlanContext, stage: Stage, limits: StageLimits): Promise<StageDecision> {
  const parts = stageParts(context.program, stage, context.host, context, context.keys);
  const earlier = context.savedPlans[stage.name] ?? earlierPlan(context, stage, parts);
  if (earlier !== undefined) {
    const key = keyOf(parts, earlier);
    const entry = context.store.find(key.key);
    if (entry !== undefined) {
      const made = readSummary(context.host, entry.path);
      return {
        key,
        trainPlan: made === undefined ? earlier : withResidency(earlier, made.residency),
        rejected: [],
      };
    }
  }
  const facts = await trainFacts(context, stage, true);
  if (facts === undefined) throw new Error(`stage ${stage.name} has no model or no rows`);
  const decision = await decide(context, { stage, facts, parts, earlier, limits });
  const { plan: trainPlan, rejected, peak, wouldHelp } = decision;
  const { machine } = context;
  const budget = memoryBudgetOf(context);
  return {
    key: keyOf(parts, trainPlan),
    trainPlan,
    facts,
    rejected,
    limits: decision.limits,
    wouldHelp,
    problem: fitsIn(peak, budget)
      ? undefined
      : notFit(stage, {
          ...{ peak, budget, machine, rejected, wouldHelp },
          isSharded: trainPlan.sharding === 'fsdp',
        }),
  };
}

function whatToDo(
  context: PlanContext,
  stage: Stage,
  { key, trainPlan, cached }: Pick<StageDecision, 'key' | 'trainPlan'> & { readonly cached: boolean },
): { readonly action: StageAction; readonly reasons: readonly Reason[] } {
  if (cached) return { action: 'cached', reasons: [reason('unchanged')] };
  if (context.store.resumable(key.key)) return { action: 'resume', reasons: [resumed(key.key)] };
  const latest = context.latest().get(stage.name);
  const earlier = comparableRecord(
    context.records(),
    stage.kind,
    key.parts,
    latest,
    othersKeys(context, stage),
  );
  return {
    action: 'run',
    reasons: [...checkpointsLeft(context, stage, trainPlan), ...runReasons(key, earlier)],
  };
}

/** Training does not resume from a checkpoint of another runtime; the reason is given, since hours of training may be lost. */
function checkpointsLeft(
  context: PlanContext,
  stage: Stage,
  trainPlan: TrainPlan | undefined,
): readonly Reason[] {
  const { program, host, digests, keys, store } = context;
  if (stage.kind !== 'train' || store.resumable === neverResumable) return [];
  return RUNTIME_NAMES.filter((name) => name !== context.runtime.name).flatMap((name) => {
    const runtime = identityOf(host, name);
    const { key } = keyOf(stageParts(program, stage, host, { digests, runtime }, keys), trainPlan);
    return store.resumable(key) ? [reason('checkpoint_left', { before: runtimeName(runtime) })] : [];
  });
}

/** Keys of the other stages: those of this plan, and those under which they were last completed. */
function othersKeys({ program, keys, latest }: PlanContext, stage: Stage): ReadonlySet<string> {
  const others = program.stages.filter(({ name }) => name !== stage.name);
  const found = others.flatMap(({ name }) => [keys.get(name)?.key, latest().get(name)]);
  return new Set(found.filter((key) => key !== undefined));
}

function measuredPeak(peak: Peak | null, measured: number): Peak {
  if (peak !== null) return { ...peak, measured };
  return {
    bytes: measured,
    low: measured,
    high: measured,
    parts: { ...NO_PARTS, runtime: measured },
    measured,
  };
}

function unknownStage(stage: Stage): PlannedStage {
  return {
    name: stage.name,
    kind: stage.kind,
    action: 'run',
    reasons: [],
    peak: null,
    seconds: null,
    diskBytes: 0,
    chosen: null,
    rejected: [],
    effective: effectiveSettings(stage, undefined),
    scale: null,
    key: '',
    parts: {},
  };
}
