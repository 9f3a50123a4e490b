/** What a stage would do and why, what is chosen for it, and what it needs. */
import { identityOf } from '../../compute/tensor/runtimes/index.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Reason, StageAction } from '../../language/ir/events.js';
import type { Stage, Value } from '../../language/ir/program.js';
import { RUNTIME_NAMES } from '../../language/ir/runtimes.js';
import { takenSettings } from '../stages/train/adapters/kinds.js';
import { coverageOf } from '../stages/train/coverage.js';
import { readSummary } from '../stages/train/result-files.js';
import { withResidency } from '../stages/train-plan/fields.js';
import type { TrainPlan } from '../stages/train-plan/plan.js';
import { effectiveSettings } from './effective.js';
import { estimate } from './estimate/index.js';
import { comparableRecord } from './history.js';
import { keyOf, runtimeName, type StageKey, stageParts } from './keys.js';
import { NO_PARTS } from './memory/peaks.js';
import { decoderShape } from './memory/train.js';
import { fitsIn, tighter } from './memory-budget.js';
import { neverResumable, type PlanContext } from './plan-context.js';
import { missingSecrets, notFit, stageTooLarge } from './plan-diagnostics.js';
import type { Peak, PlannedStage, RejectedPlan, StageLimits } from './plan-json.js';
import { reason, resumed, runReasons } from './reasons.js';
import { scaleOf } from './scale.js';
import { NO_TIME } from './speed.js';
import { decide, earlierPlan } from './train-choice.js';
import { memoryBudgetOf, type TrainFacts, trainFacts } from './train-stage.js';

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

/** A stage of the program, after those that it reads. Throws what its models are refused for. */
export async function planStage(
  context: PlanContext,
  stage: Stage,
  limits: StageLimits,
): Promise<StagePlanning> {
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

/** A stage that cannot be planned. */
export function unknownStage(stage: Stage): PlannedStage {
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
