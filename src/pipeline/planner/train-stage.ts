/** What is chosen for a train stage, and what the choice costs. */

import { adaptedConfig } from '../../compute/models/adapters/classifier.js';
import { virtualTokensOf } from '../../compute/models/adapters/kinds.js';
import { wholeTensor } from '../../compute/models/adapters/whole.js';
import { entriesOfPiece } from '../../compute/models/decoder/vocabulary.js';
import { isCompiled } from '../../compute/tensor/runtimes/tensorflow/variants.js';
import { totalSteps } from '../../compute/training/order.js';
import type { Stage, Value } from '../../language/ir/types.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import { hasFactors, type TrainPlan } from '../../language/schemas/types.js';
import { factorsOf } from '../stages/train/adapters/kinds.js';
import { isPaged, optimizerName, stopAfter } from '../stages/train/loop-settings.js';
import { chosenFromParts, keyOf } from './keys.js';
import { BIN, type Lengths, shortened } from './lengths.js';
import {
  decoderShape,
  longestPadded,
  PACKING_LOSS,
  sequencesOf,
  type TrainMemory,
  trainPeak,
} from './memory/train.js';
import { stageNamed } from './models.js';
import type { Part } from './parts.js';
import type { Room } from './room.js';
import { type LadderOptions, ladder, withMicro } from './solve/ladder.js';
import { type Solution, solve } from './solve/solve.js';
import { decodingOnce, startingChoice } from './solve/start.js';
import { decodedWeights, keptByProcess, type PlannedModel, weightBytes } from './stage-models.js';
import type { PlanWorld } from './world.js';

/** Facts about a train stage that no choice changes. */
export interface TrainFacts {
  readonly model: PlannedModel;
  readonly memory: TrainMemory;
  readonly validation: Lengths | undefined;
  readonly ladder: LadderOptions;
  readonly maxLength: number;
}

export async function trainFacts(
  world: PlanWorld,
  stage: Stage,
  look: boolean,
): Promise<TrainFacts | undefined> {
  const settings = settingsOf(stage, 'train');
  const model = world.models.of(settings.base as Value);
  const { dataset } = settings;
  const lengths = await world.lengths(dataset.stage, dataset.port, look);
  if (model === undefined || lengths === undefined) return undefined;
  const validation =
    settings.validate === undefined
      ? undefined
      : await world.lengths(settings.validate.stage, settings.validate.port, look);
  const format = stageNamed(world.program, dataset.stage);
  const adapter = world.adapter(stage, model, lengths.labels);
  const room = model.config.maxPositions - virtualTokensOf(adapter);
  const maxLength = Math.min(room, Number(format?.settings['max_length'] ?? room));
  const { global, packing } = settings.batch;
  const held = { ...model, adapter };
  const shape = { config: model.config, lengths, ...(packing ? { packed: global } : {}) };
  return {
    model,
    validation,
    maxLength,
    memory: {
      ...shape,
      weightBytes: weightBytes(held),
      decoded: decodedWeights(held),
      adapter,
      optimizer: optimizerName(settings),
      precision: settings.precision,
      validation,
      steps: (rows) =>
        totalSteps(Math.max(1, rows), settings.batch.global, stopAfter(settings, stage.origins)),
      onDevice: world.machine.devices.length > 0,
      device: world.device,
      keptByProcess: keptByProcess(held),
      runtime: world.runtime.name,
      compiles: isCompiled(world.runtime.version),
      largestTensor: world.largestTensor,
      planDecoder: world.planDecoder,
    },
    ladder: {
      preset: stage.preset,
      fallback: settings.fallback,
      global: packing ? sequencesOf(shape, maxLength) : global,
      micro: settings.batch.micro,
      layers: model.config.layers,
      vocabularyShard:
        world.runtime.name === 'onnx' && wholeTensor(model.config, adapter, 'head') === undefined
          ? entriesOfPiece(adaptedConfig(model.config, adapter))
          : undefined,
      fixedRank: settings.start !== undefined,
      paged: isPaged(settings),
    },
  };
}

/** The choice of an earlier run that differs from this stage in nothing but the choice. */
export function earlierChoice(world: PlanWorld, stage: Stage, parts: readonly Part[]): TrainPlan | undefined {
  const { global, micro } = settingsOf(stage, 'train').batch;
  for (const record of world.records()) {
    if (record.kind !== 'train') continue;
    const chosen = chosenFromParts(record.parts, global);
    if (chosen !== undefined && consistent(chosen, stage, micro) && keyOf(parts, chosen).key === record.key)
      return chosen;
  }
  return undefined;
}

function consistent(chosen: TrainPlan, stage: Stage, micro: number | undefined): boolean {
  if (!hasFactors(stage.preset) || !hasFactors(chosen.method)) return chosen.method === stage.preset;
  if (stage.preset === 'qlora' && chosen.method !== 'qlora') return false;
  return micro === undefined || chosen.microBatch <= micro;
}

/** What a stage of this world may take. */
export const roomOf = ({ availableBytes, device }: PlanWorld): Room => ({ availableBytes, device });

export interface Decision extends Solution {
  /** A step that the file does not allow and with which the stage would fit. */
  readonly wouldHelp?: string;
}

export function choose(
  world: PlanWorld,
  stage: Stage,
  facts: TrainFacts,
  parts: readonly Part[],
  earlier: TrainPlan | undefined,
): Decision {
  const start = startOf(stage, facts);
  const steps = ladder(facts.ladder);
  const kept =
    (earlier && withMicro(earlier, earlier.microBatch, facts.ladder.global)) ??
    resumableChoice(world, parts, start, facts.ladder);
  const solution = solve({
    start,
    steps,
    // a frozen base is no smaller version of an adapter's training, nor the other way round
    methods: stage.preset === 'head' ? [] : undefined,
    ...roomOf(world),
    kept: kept === undefined ? [] : [decodingOnce(facts.memory, kept), kept],
    peakOf: (chosen) => trainPeak(facts.memory, chosen),
  });
  return solution.fits ? solution : { ...solution, wouldHelp: wouldHelp(world, facts, start) };
}

function startOf(stage: Stage, { model, memory, ladder: options, maxLength }: TrainFacts): TrainPlan {
  const fastest = startingChoice({
    preset: stage.preset,
    config: model.config,
    global: options.global,
    packed: memory.packed !== undefined,
    micro: options.micro,
    maxLength,
    longestPadded: longestPadded(memory, { maxLength }),
    lengths: memory.lengths,
    ...factorsOf(memory.adapter),
  });
  return decodingOnce(memory, fastest);
}

/** A shape under which this very stage has a checkpoint: found by its key, since keys name what they are made of. */
function resumableChoice(
  world: PlanWorld,
  parts: readonly Part[],
  start: TrainPlan,
  options: LadderOptions,
): TrainPlan | undefined {
  const resumable = (chosen: TrainPlan): boolean => world.store.resumable(keyOf(parts, chosen).key);
  if (resumable(start)) return start;
  const methods = options.preset === undefined ? (['lora', 'qlora'] as const) : [start.method];
  for (const method of methods)
    for (let rows = options.micro ?? options.global; rows >= 1; rows--) {
      if (options.global % rows !== 0 && rows !== start.microBatch) continue;
      for (let blocks = 0; blocks <= options.layers; blocks++) {
        const chosen = { ...withMicro(start, rows, options.global), method, checkpointedBlocks: blocks };
        if (resumable(chosen)) return chosen;
      }
    }
  return undefined;
}

const HELPERS = [
  { name: 'qlora', args: {}, text: 'qlora' },
  { name: 'smaller_micro_batch', args: {}, text: 'smaller_micro_batch' },
  { name: 'shorten', args: { min: 64 }, text: 'shorten(min: 64tok)' },
  { name: 'lower_rank', args: { min: 4 }, text: 'lower_rank(min: 4)' },
] as const;

function wouldHelp(world: PlanWorld, facts: TrainFacts, start: TrainPlan): string | undefined {
  return HELPERS.find(({ name, args }) => {
    if (facts.ladder.fallback.some(({ call }) => call === name)) return false;
    const steps = ladder({ ...facts.ladder, fallback: [...facts.ladder.fallback, { call: name, args }] });
    const { fits } = solve({
      start,
      steps,
      ...roomOf(world),
      peakOf: (chosen) => trainPeak(facts.memory, chosen),
    });
    return fits;
  })?.text;
}

/** Floating-point operations of a whole training, validations included. */
export function trainFlops(stage: Stage, facts: TrainFacts, chosen: TrainPlan): number {
  const settings = settingsOf(stage, 'train');
  const lengths = shortened(facts.memory.lengths, chosen.maxLength);
  const shape = decoderShape(facts.memory, chosen);
  const perToken = facts.memory.planDecoder(shape).flops / (shape.rows * shape.length);
  const steps = facts.memory.steps(lengths.rows);
  const tokens = settings.batch.packing ? lengths.tokens * PACKING_LOSS : paddedTokens(lengths);
  const perRow = tokens / Math.max(1, lengths.rows);
  const trained = steps * Math.min(settings.batch.global, lengths.rows) * perRow * perToken;
  const validations = Math.ceil(steps / settings.checkpoint.every);
  const watched =
    facts.validation === undefined ? 0 : paddedTokens(facts.validation) * validations * (perToken / 3);
  return trained + watched;
}

/** Rows of a batch differ in length: about half a bucket is padding. */
export function paddedTokens(lengths: Lengths): number {
  return lengths.histogram.reduce((sum, count, bin) => sum + count * BIN * (bin + 2), 0);
}
