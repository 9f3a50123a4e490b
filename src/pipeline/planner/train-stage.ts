/** The plan of a train stage, and what it costs. */

import { virtualTokensOf } from '../../compute/models/adapters/kinds.js';
import { isCompiled } from '../../compute/tensor/runtimes/tensorflow/variants.js';
import { totalSteps } from '../../compute/training/order.js';
import type { Stage, Value } from '../../language/ir/program.js';
import { hasFactors } from '../../language/schemas/methods.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import { factorsOf } from '../stages/train/adapters/kinds.js';
import { optimizerName, stopAfter } from '../stages/train/loop-settings.js';
import { relaxationLimits } from '../stages/train/recovery.js';
import type { RelaxationLimits } from '../stages/train-plan/freedom.js';
import { LISTABLE, ladder } from '../stages/train-plan/ladder.js';
import { type TrainPlan, withMicro } from '../stages/train-plan/plan.js';
import { BIN, type Lengths, shortened } from './expected-rows.js';
import type { KeyPart } from './key-parts.js';
import { keyOf, planFromParts } from './keys.js';
import {
  decoderShape,
  longestPadded,
  PACKING_LOSS,
  sequencesOf,
  type TrainMemory,
  trainPeak,
} from './memory/train.js';
import type { MemoryBudget } from './memory-budget.js';
import type { PlanContext } from './plan-context.js';
import { type Solution, type SolveRequest, solve } from './solve/solve.js';
import { fastestPlan, materialisedIfSmall } from './solve/start.js';
import { decodedWeights, keptByProcess, type PlannedModel, stageNamed, weightBytes } from './stage-models.js';

/** Facts about a train stage that no choice changes. */
export interface TrainFacts {
  readonly model: PlannedModel;
  readonly memory: TrainMemory;
  readonly limits: RelaxationLimits;
  readonly maxLength: number;
}

export async function trainFacts(
  context: PlanContext,
  stage: Stage,
  look: boolean,
): Promise<TrainFacts | undefined> {
  const settings = settingsOf(stage, 'train');
  const model = context.models.of(settings.base as Value);
  const { dataset } = settings;
  const lengths = await context.lengths(dataset.stage, dataset.port, look);
  if (model === undefined || lengths === undefined) return undefined;
  const validation =
    settings.validate === undefined
      ? undefined
      : await context.lengths(settings.validate.stage, settings.validate.port, look);
  const format = stageNamed(context.program, dataset.stage);
  const adapter = context.adapter(stage, model, lengths.labels);
  const room = model.config.maxPositions - virtualTokensOf(adapter);
  const maxLength = Math.min(room, Number(format?.settings['max_length'] ?? room));
  const { global, packing } = settings.batch;
  const adapted = { ...model, adapter };
  const shape = { config: model.config, lengths, ...(packing ? { packed: global } : {}) };
  return {
    model,
    maxLength,
    memory: {
      ...shape,
      weightBytes: weightBytes(adapted),
      decoded: decodedWeights(adapted),
      adapter,
      optimizer: optimizerName(settings),
      precision: settings.precision,
      validation,
      steps: (rows) =>
        totalSteps(Math.max(1, rows), settings.batch.global, stopAfter(settings, stage.origins)),
      onDevice: context.machine.devices.length > 0,
      device: context.device,
      keptByProcess: keptByProcess(adapted),
      runtime: context.runtime.name,
      compiles: isCompiled(context.runtime.version),
      largestTensor: context.largestTensor,
      planDecoder: context.planDecoder,
    },
    limits: relaxationLimits(
      stage,
      { config: model.config, adapter, runtime: context.runtime.name },
      packing ? sequencesOf(shape, maxLength) : global,
    ),
  };
}

/** The plan of an earlier run that differs from this stage in nothing but its plan. */
export function earlierPlan(
  context: PlanContext,
  stage: Stage,
  parts: readonly KeyPart[],
): TrainPlan | undefined {
  const { global, micro } = settingsOf(stage, 'train').batch;
  for (const record of context.records()) {
    if (record.kind !== 'train') continue;
    const plan = planFromParts(record.parts, global);
    if (plan !== undefined && isAllowed(plan, stage, micro) && keyOf(parts, plan).key === record.key)
      return plan;
  }
  return undefined;
}

function isAllowed({ method, microBatch }: TrainPlan, { preset }: Stage, micro: number | undefined): boolean {
  if (!hasFactors(preset) || !hasFactors(method)) return method === preset;
  if (preset === 'qlora' && method !== 'qlora') return false;
  return micro === undefined || microBatch <= micro;
}

/** What a stage of this context may take. */
export const memoryBudgetOf = ({ availableBytes, device }: PlanContext): MemoryBudget => ({
  availableBytes,
  device,
});

export interface Decision extends Solution {
  /** A relaxation that the file does not allow and with which the stage would fit. */
  readonly wouldHelp?: string;
}

export function decide(
  context: PlanContext,
  stage: Stage,
  facts: TrainFacts,
  parts: readonly KeyPart[],
  earlier: TrainPlan | undefined,
): Decision {
  const { limits, memory } = facts;
  const start = startOf(stage, facts);
  const kept =
    (earlier && withMicro(earlier, earlier.microBatch, limits.global)) ??
    resumablePlan(context, parts, start, limits);
  const request: SolveRequest = {
    start,
    ladder: ladder(limits),
    // a frozen base is no smaller version of an adapter's training, nor the other way round
    methods: stage.preset === 'head' ? [] : undefined,
    ...memoryBudgetOf(context),
    peakOf: (plan) => trainPeak(memory, plan),
  };
  const solution = solve({
    ...request,
    earlier: kept === undefined ? [] : [materialisedIfSmall(memory, kept), kept],
  });
  return solution.fits ? solution : { ...solution, wouldHelp: wouldHelp(request, limits) };
}

function startOf(stage: Stage, { model, memory, limits, maxLength }: TrainFacts): TrainPlan {
  const fastest = fastestPlan({
    preset: stage.preset,
    config: model.config,
    global: limits.global,
    packed: memory.packed !== undefined,
    micro: limits.micro,
    maxLength,
    longestPadded: longestPadded(memory, { maxLength }),
    lengths: memory.lengths,
    ...factorsOf(memory.adapter),
  });
  return materialisedIfSmall(memory, fastest);
}

/** A plan under which this very stage has a checkpoint: found by its key, since keys name what they are made of. */
function resumablePlan(
  context: PlanContext,
  parts: readonly KeyPart[],
  start: TrainPlan,
  { preset, micro, global, layers }: RelaxationLimits,
): TrainPlan | undefined {
  const resumable = (plan: TrainPlan): boolean => context.store.resumable(keyOf(parts, plan).key);
  if (resumable(start)) return start;
  const methods = preset === undefined ? (['lora', 'qlora'] as const) : [start.method];
  for (const method of methods)
    for (let rows = micro ?? global; rows >= 1; rows--) {
      if (global % rows !== 0 && rows !== start.microBatch) continue;
      for (let blocks = 0; blocks <= layers; blocks++) {
        const plan = { ...withMicro(start, rows, global), method, checkpointedBlocks: blocks };
        if (resumable(plan)) return plan;
      }
    }
  return undefined;
}

const wouldHelp = (request: SolveRequest, limits: RelaxationLimits): string | undefined =>
  LISTABLE.find(({ call }) => {
    const { fallback } = limits;
    if (fallback.some((listed) => listed.call === call.call)) return false;
    return solve({ ...request, ladder: ladder({ ...limits, fallback: [...fallback, call] }) }).fits;
  })?.text;

/** Floating-point operations of a whole training, validations included. */
export function trainFlops(stage: Stage, facts: TrainFacts, plan: TrainPlan): number {
  const settings = settingsOf(stage, 'train');
  const lengths = shortened(facts.memory.lengths, plan.maxLength);
  const shape = decoderShape(facts.memory, plan);
  const perToken = facts.memory.planDecoder(shape).flops / (shape.rows * shape.length);
  const steps = facts.memory.steps(lengths.rows);
  const tokens = settings.batch.packing ? lengths.tokens * PACKING_LOSS : paddedTokens(lengths);
  const perRow = tokens / Math.max(1, lengths.rows);
  const trained = steps * Math.min(settings.batch.global, lengths.rows) * perRow * perToken;
  const validations = Math.ceil(steps / settings.checkpoint.every);
  const { validation } = facts.memory;
  const watched = validation === undefined ? 0 : paddedTokens(validation) * validations * (perToken / 3);
  return trained + watched;
}

/** Rows of a batch differ in length: about half a bucket is padding. */
export function paddedTokens(lengths: Lengths): number {
  return lengths.histogram.reduce((sum, count, bin) => sum + count * BIN * (bin + 2), 0);
}
