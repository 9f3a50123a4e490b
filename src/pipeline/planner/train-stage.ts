/** The plan of a train stage, and what it costs. */

import { virtualTokensOf } from '../../compute/models/adapters/kinds.js';
import { NO_TOKENIZER, type TokenizerMemory } from '../../compute/models/tokenizer/memory.js';
import { tensorsToQuantise } from '../../compute/models/weights/load.js';
import { isCompiled } from '../../compute/tensor/runtimes/tensorflow/variants.js';
import { hasReference, isPaired, sharesPrompts } from '../../compute/training/index.js';
import { totalSteps } from '../../compute/training/order.js';
import type { Ranks } from '../../language/ir/engines.js';
import type { Stage, Value } from '../../language/ir/program.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import { stopAfter, type TrainSettings } from '../../language/schemas/stages/train.js';
import { optimizerName } from '../stages/train/loop-settings.js';
import { precisionOf } from '../stages/train/precision.js';
import { objectiveOf, rewardLabels } from '../stages/train/preferences/objective.js';
import { referenceSetting } from '../stages/train/preferences/reference-model.js';
import { countWeights } from '../stages/train/quantised-base.js';
import { relaxationLimits } from '../stages/train/recovery.js';
import { answersWanted, looksAtAnswers } from '../stages/train/validation-answers.js';
import type { RankLimits, RelaxationLimits } from '../stages/train-plan/freedom.js';
import type { TrainPlan } from '../stages/train-plan/plan.js';
import { type CountedTraining, countedOf } from './counted-training.js';
import { drawnRows } from './drawn-rows.js';
import {
  BIN,
  joinedPairs,
  type Lengths,
  longestPrompt,
  promptedRows,
  promptsOf,
  shortened,
} from './expected-rows.js';
import { flopsPerToken, forwardMemory } from './forward-memory.js';
import type { ForwardMemory } from './memory/evaluate.js';
import {
  computedRows,
  decoderShape,
  PACKING_LOSS,
  type PreferenceCounts,
  sequencesOf,
  type TrainMemory,
} from './memory/train.js';
import type { MemoryBudget } from './memory-budget.js';
import type { PlanContext } from './plan-context.js';
import type { BudgetLimit } from './plan-json.js';
import { decodedWeights, keptByProcess, type PlannedModel, stageNamed, weightBytes } from './stage-models.js';

/** Facts about a train stage that no choice changes. */
export interface TrainFacts {
  readonly model: PlannedModel;
  /** All rows of the split; `memory` has those that are read. */
  readonly rows: Lengths;
  readonly memory: TrainMemory;
  readonly limits: RelaxationLimits;
  readonly maxLength: number;
}

/**
 * `look`: lengths may be found out by reading rows, which takes time. `undefined` where model or rows are not known.
 */
export async function trainFacts(
  context: PlanContext,
  stage: Stage,
  look: boolean,
): Promise<TrainFacts | undefined> {
  const settings = settingsOf(stage, 'train');
  const model = context.models.of(settings.base as Value);
  const { dataset } = settings;
  const all = await context.lengths(dataset.stage, dataset.port, look);
  if (model === undefined || all === undefined) return undefined;
  const validation =
    settings.validate === undefined
      ? undefined
      : await context.lengths(settings.validate.stage, settings.validate.port, look);
  const format = stageNamed(context.program, dataset.stage);
  const adapter = context.adapter(stage, model, learnedLabels(settings, model) ?? all.labels);
  const reference = askedModel(context, settings);
  const room = roomFor({ config: model.config, adapter }, reference);
  const maxLength = Math.min(room, Number(format?.settings['max_length'] ?? room));
  const { global, packing } = settings.batch;
  const adapted = { ...model, adapter };
  const ranks = await ranksOf(context, look, {
    ...{ settings, model, adapter },
  });
  const preferences = preferencesOf(settings);
  const { lengths, steps } = readRows(stage, all, { maxLength, isInOrder: ranks === undefined });
  const shape = { config: model.config, lengths, ...(packing ? { packed: global } : {}) };
  const shares = (counted: Lengths | undefined): boolean =>
    counted !== undefined &&
    preferences?.texts === 2 &&
    ranks === undefined &&
    sharesPrompts(model.config, adapter, counted);
  return {
    ...{ model, maxLength, rows: all },
    memory: {
      ...shape,
      weightBytes: weightBytes(adapted),
      decoded: decodedWeights(adapted),
      ...(ranks === undefined && { toQuantise: countWeights(tensorsToQuantise(model.config, model.format)) }),
      threads: context.threads,
      adapter,
      optimizer: optimizerName(settings),
      precision: precisionOf(settings),
      smoothing: settings.label_smoothing,
      validation: validation && (shares(validation) ? joinedPairs(validation) : validation),
      preferences: preferences && { ...preferences, sharesPrompts: shares(lengths) },
      reference,
      answers: answersOf(settings, validation, model.tokenizer),
      steps,
      onDevice: context.machine.devices.length > 0,
      device: context.device,
      keptByProcess: keptByProcess(adapted),
      node: context.node,
      runtime: context.runtime.name,
      compiles: isCompiled(context.runtime.version),
      largestTensor: context.largestTensor,
      planDecoder: context.planDecoder,
      ranks,
    },
    limits: relaxationLimits(
      stage,
      { config: model.config, adapter, runtime: context.runtime.name, ranks },
      packing ? sequencesOf(shape, maxLength) : global,
    ),
  };
}

/** The rows that a training reads, and its optimiser steps for so many rows. `isInOrder`: it draws them as the embedded engine does. */
function readRows(
  stage: Stage,
  all: Lengths,
  { maxLength, isInOrder }: { readonly maxLength: number; readonly isInOrder: boolean },
): Pick<TrainMemory, 'lengths' | 'steps'> {
  const settings = settingsOf(stage, 'train');
  const { batch, order, seed, stop } = settings;
  const preferences = preferencesOf(settings);
  const steps = (rows: number): number =>
    totalSteps(Math.max(1, rows / (preferences?.texts ?? 1)), batch.global, stopAfter(stop, stage.origins));
  if (batch.packing || preferences !== undefined || !isInOrder) return { lengths: all, steps };
  const drawn = drawnRows(all, { order, seed, globalBatch: batch.global, maxLength, steps });
  return drawn === undefined ? { lengths: all, steps } : { lengths: drawn.lengths, steps: () => drawn.steps };
}

type Reader = Pick<ForwardMemory, 'config' | 'adapter'>;

/** Tokens of a text at most, which all models read. */
function roomFor(own: Reader, reference: TrainMemory['reference']): number {
  const readers: readonly Reader[] = reference === undefined ? [own] : [own, reference('stored')];
  return Math.min(...readers.map(({ config, adapter }) => config.maxPositions - virtualTokensOf(adapter)));
}

/** Another model than the base that answers are compared with: without its tokenizer, which is not loaded. */
function askedModel(context: PlanContext, settings: TrainSettings): TrainMemory['reference'] {
  const model = context.models.of(referenceSetting(settings));
  return (
    model && ((residency) => ({ ...forwardMemory(context, model, 0, residency), tokenizer: NO_TOKENIZER }))
  );
}

/** The label of a reward model, whose rows have none. */
const learnedLabels = (settings: TrainSettings, { config }: PlannedModel): readonly string[] | undefined =>
  objectiveOf(settings)?.kind === 'reward' ? rewardLabels(config) : undefined;

function preferencesOf(settings: TrainSettings): PreferenceCounts | undefined {
  const objective = objectiveOf(settings);
  if (objective === undefined) return undefined;
  const { kind } = objective;
  return {
    texts: isPaired(objective) ? 2 : 1,
    supervised: kind === 'orpo' ? 'all' : kind === 'reward' ? 'last' : 'answers',
    // each answer once, and under KTO again after another prompt
    references: hasReference(objective) ? (kind === 'kto' ? 2 : 1) : 0,
  };
}

/** Operations of another model than the base over all texts, each by itself. */
function askedFlops({ reference, lengths }: TrainMemory, { maxLength }: TrainPlan): number | undefined {
  return reference && paddedTokens(shortened(lengths, maxLength)) * flopsPerToken(reference('stored'));
}

/** What is answered at each validation. */
function answersOf(
  settings: TrainSettings,
  validation: Lengths | undefined,
  tokenizer: TokenizerMemory,
): TrainMemory['answers'] {
  if (validation === undefined || !looksAtAnswers(settings)) return undefined;
  const { rows, maxTokens } = answersWanted(settings);
  // of labelled rows, classes come with no more than a loss takes
  const answered = validation.labels === undefined ? Math.min(rows, Math.ceil(promptedRows(validation))) : 0;
  // when they end differs from validation to validation
  const { prompts } = promptsOf(validation, answered);
  const every = settings.validation?.every ?? settings.checkpoint.every;
  return { rows: answered, prompt: longestPrompt(validation), prompts, maxTokens, tokenizer, every };
}

async function ranksOf(
  { engine, count }: PlanContext,
  look: boolean,
  training: CountedTraining,
): Promise<RankLimits | undefined> {
  if (engine.name === 'embedded') return undefined;
  const ranks: RankLimits = {
    ...rankPlace(engine),
    sharding: engine.sharding,
    attention: engine.attention,
    versions: engine.versions,
  };
  const counts = look && count !== undefined ? await countedOf(ranks, training, count) : undefined;
  return counts === undefined ? ranks : { ...ranks, counts };
}

const rankPlace = ({ device, devices, nodes }: Ranks): Omit<RankLimits, 'sharding'> => ({
  device,
  devices,
  world: devices * nodes,
});

/** What a stage of this context may take. */
export const memoryBudgetOf = (
  { availableBytes, device }: PlanContext,
  limit?: BudgetLimit,
): MemoryBudget => ({ availableBytes, device, limit });

/** Floating-point operations of a whole training, validations included. */
export function trainFlops(stage: Stage, facts: TrainFacts, plan: TrainPlan): number {
  const settings = settingsOf(stage, 'train');
  const lengths = computedRows(facts.memory, plan.maxLength);
  const shape = decoderShape(facts.memory, plan);
  const perToken = facts.memory.planDecoder(shape).flops / (shape.rows * shape.length);
  const steps = facts.memory.steps(shortened(facts.memory.lengths, plan.maxLength).rows);
  const tokens = settings.batch.packing ? lengths.tokens * PACKING_LOSS : paddedTokens(lengths);
  const perRow = tokens / Math.max(1, lengths.rows);
  const { texts = 1, references = 0, sharesPrompts: isJoined = false } = facts.memory.preferences ?? {};
  const rows = settings.batch.global * (isJoined ? 1 : texts);
  const trained = steps * Math.min(rows, lengths.rows) * perRow * perToken;
  const asked = references * (askedFlops(facts.memory, plan) ?? tokens * (perToken / 3));
  const validations = validationsOf(stage, facts.memory, plan);
  const { validation } = facts.memory;
  const watched = validation === undefined ? 0 : paddedTokens(validation) * validations * (perToken / 3);
  return trained + asked + watched;
}

/** Of the answers of all validations: of their prompts, and of what is generated token by token. */
export function answerFlops(
  stage: Stage,
  { memory }: TrainFacts,
  plan: TrainPlan,
): { readonly prompts: number; readonly generated: number } {
  const { answers, lengths } = memory;
  if (answers === undefined) return { prompts: 0, generated: 0 };
  const shape = decoderShape(memory, plan);
  const perToken = memory.planDecoder(shape).flops / (shape.rows * shape.length) / 3;
  const rows = answers.rows * validationsOf(stage, memory, plan);
  const supervised = lengths.supervised / Math.max(1, lengths.rows);
  return {
    prompts: rows * answers.prompt * perToken,
    generated: rows * Math.min(answers.maxTokens, 1.5 * supervised) * perToken,
  };
}

/** How often a training validates. */
function validationsOf(stage: Stage, memory: TrainMemory, plan: TrainPlan): number {
  const { validation, checkpoint } = settingsOf(stage, 'train');
  const steps = memory.steps(shortened(memory.lengths, plan.maxLength).rows);
  return Math.ceil(steps / (validation?.every ?? checkpoint.every));
}

/** Rows of a batch differ in length: about half a bucket is padding. */
export function paddedTokens(lengths: Lengths): number {
  return lengths.histogram.reduce((sum, count, bin) => sum + count * BIN * (bin + 2), 0);
}
