/** What each kind of stage needs in memory, time and disk, once it is known what it will do. */

import { EVALUATION_SHAPES } from '../evaluation/shapes.js';
import type { Stage, StageKind, Value } from '../ir/types.js';
import { adaptedConfig, unreadHead } from '../models/adapters/classifier.js';
import { plainConfig } from '../models/adapters/pissa.js';
import type { LoraConfig, ModelConfig } from '../models/types.js';
import { float32BytesOf } from '../models/weights/load.js';
import type { EvalSettings } from '../stages/eval/schema.js';
import { chosenLora } from '../stages/train/lora.js';
import { trainSettings } from '../stages/train/schema.js';
import type { Chosen } from '../stages/types.js';
import { isCompiled } from '../tensor/runtimes/tensorflow/variants.js';
import { evaluationPeak, type ForwardMemory, mergePeak } from './memory/evaluate.js';
import { dataPeak, formatPeak } from './memory/rows.js';
import { decoderShape, type Holding, optimizerBytes, trainPeak } from './memory/train.js';
import { isReference, stageNamed } from './models.js';
import { fitsIn } from './room.js';
import {
  decodedWeights,
  type HeldModel,
  keptByProcess,
  type PlannedModel,
  weightBytes,
} from './stage-models.js';
import { computeSeconds, copySeconds, generationSeconds, plus, rowSeconds } from './time.js';
import { paddedTokens, roomOf, type TrainFacts, trainFlops } from './train-stage.js';
import type { Peak, Seconds } from './types.js';
import type { PlanWorld } from './world.js';

export interface Estimate {
  readonly peak: Peak | null;
  readonly seconds: Seconds | null;
  readonly diskBytes: number;
  /** Eval stages whose weights can be held as float32: whether they are, for there is memory for it. */
  readonly decodedOnce?: boolean;
}

export interface EstimateInput {
  readonly world: PlanWorld;
  readonly stage: Stage;
  /** Train stages. */
  readonly chosen?: Chosen;
  readonly facts?: TrainFacts;
  /** False for a cached stage: nothing is read or measured for it. */
  readonly look: boolean;
}

type Estimator = (input: EstimateInput) => Promise<Estimate>;

const NOTHING: Estimate = { peak: null, seconds: null, diskBytes: 0 };

const ESTIMATORS: Readonly<Record<StageKind, Estimator>> = {
  async data({ world, stage }) {
    const size = world.sources(stage.name);
    const { bytes } = size;
    return {
      peak: dataPeak(size),
      seconds: here(world, rowSeconds('data', bytes)),
      diskBytes: Math.ceil(1.3 * bytes),
    };
  },
  async format({ world, stage, look }) {
    const from = stage.settings['from'];
    const { bytes, rows } = isReference(from) ? world.limited(from.stage) : { bytes: 0, rows: 0 };
    const tokenizerBytes = world.models.tokenizerBytes(stage.settings['model']);
    const lengths = await world.lengths(stage.name, 'all', look);
    const tokens = lengths?.tokens ?? bytes / 4;
    return {
      peak: formatPeak({ bytes, rows }, tokenizerBytes),
      seconds: here(world, rowSeconds('format', bytes)),
      diskBytes: Math.ceil(8 * tokens + 48 * rows + 1.1 * bytes),
    };
  },
  async train({ world, stage, chosen, facts, look }) {
    if (chosen === undefined || facts === undefined) return NOTHING;
    const speed = look ? await world.speed() : undefined;
    const trained = facts.memory.planDecoder(decoderShape(facts.memory, chosen)).parts.gradients;
    const state = optimizerBytes(facts.memory, chosen);
    const { keep } = trainSettings(stage).checkpoint;
    return {
      peak: trainPeak(facts.memory, chosen),
      seconds: speed === undefined ? null : computeSeconds(trainFlops(stage, facts, chosen), speed),
      // best and last, and checkpoints of parameters and optimiser: those kept, the best, one being
      // written; and what of the state is in a file
      diskBytes: Math.ceil(2 * trained + (trained + state) * (keep + 2) + (chosen.stateInFile ?? 0) * state),
    };
  },
  async eval({ world, stage, look }) {
    const settings = stage.settings as unknown as EvalSettings;
    const model = world.models.of(settings.model as Value);
    const lengths = await world.lengths(settings.dataset.stage, settings.dataset.port, look);
    if (model === undefined || lengths === undefined) return NOTHING;
    const { longest } = lengths;
    const memory = forwardMemory(world, model, longest);
    const generates = settings.metrics.some(({ call }) => call === 'exact_match' || call === 'rouge_l');
    const rows = Math.min(lengths.rows, settings.generation.rows ?? lengths.rows);
    const asked = lengths.labels === undefined;
    const answered = asked ? (generates ? rows : Math.min(rows, settings.samples)) : 0;
    const answers = {
      rows: answered,
      // an answer is about as long a share of the longest row as of any
      prompt: Math.ceil(longest * (1 - (0.8 * lengths.supervised) / Math.max(1, lengths.tokens))),
      maxTokens: settings.generation.max_tokens,
    };
    const speed = look ? await world.speed() : undefined;
    const models = settings.baseline === undefined ? 1 : 2;
    const perToken = flopsPerToken(world, memory);
    const forward = models * paddedTokens(lengths) * perToken;
    const prompts = models * answers.rows * (lengths.tokens / Math.max(1, lengths.rows)) * perToken;
    const tokens = models * answers.rows * settings.generation.max_tokens;
    const peakOf = (float32Bytes: number): Peak =>
      evaluated(world, model, settings.baseline as Value | undefined)
        .map((one) => evaluationPeak(forwardMemory(world, one, longest, float32Bytes), answers))
        .reduce((a, b) => (b.bytes > a.bytes ? b : a));
    return {
      ...decodedWhereItFits(peakOf, world),
      seconds:
        speed === undefined
          ? null
          : plus(computeSeconds(forward + prompts, speed), generationSeconds(tokens * perToken, speed)),
      diskBytes: 50_000 + 1200 * lengths.rows,
    };
  },
  async merge({ world, stage }) {
    const base = world.models.of(stage.settings['base']);
    if (base === undefined) return NOTHING;
    const adapter = stage.settings['adapter'];
    const trainer = isReference(adapter) ? adapter.stage : undefined;
    const lora = trainer === undefined ? undefined : adapterConfig(world, trainer);
    const held = heldBy({ ...base, lora }, isPaged(world, trainer) ? 'paged' : 'lora');
    const memory: ForwardMemory = { ...forwardMemory(world, base, 32), lora, ...held };
    const written = base.parameters * (stage.settings['dtype'] === 'f32' ? 4 : 2);
    return {
      peak: mergePeak(memory),
      seconds: here(world, copySeconds(4 * written)),
      diskBytes: written + base.tokenizerBytes,
    };
  },
  async deploy({ world, stage }) {
    const model = world.models.of(stage.settings['model']);
    if (model === undefined) return NOTHING;
    const bytes = weightBytes(model).lora + model.tokenizerBytes;
    const memory = forwardMemory(world, model, 256);
    const classifies = adaptedConfig(memory.config, memory.lora).labels !== undefined;
    // a release is asked something before it becomes current, whether or not the file says what
    return {
      peak: evaluationPeak(memory, classifies ? undefined : { rows: 1, prompt: 64, maxTokens: 64 }),
      seconds: here(world, plus(copySeconds(2 * bytes), 2)),
      diskBytes: bytes,
    };
  },
};

export const estimate = (input: EstimateInput): Promise<Estimate> => ESTIMATORS[input.stage.kind](input);

const here = (world: PlanWorld, seconds: Seconds): Seconds | null => (world.machine.here ? seconds : null);

/** The models that an eval stage opens one after the other: a baseline with the weights of the model's base shares them. */
function evaluated(
  world: PlanWorld,
  model: PlannedModel,
  baseline: Value | undefined,
): readonly [PlannedModel, ...PlannedModel[]] {
  const other = world.models.of(baseline);
  return other === undefined || weightsOf(other) === weightsOf(model) ? [model] : [model, other];
}

const weightsOf = ({ root: { model, weights, trainedBy = '' } }: PlannedModel): string =>
  [model.folder, model.seed, weights, trainedBy].join('\n');

/** Weights are held as float32 where that is not much and fits; an evaluation computes the same either way. */
function decodedWhereItFits(
  peakOf: (float32Bytes: number) => Peak,
  world: PlanWorld,
): Pick<Estimate, 'peak' | 'decodedOnce'> {
  const [each, once] = [peakOf(0), peakOf(EVALUATION_SHAPES.float32Bytes)];
  if (once.bytes === each.bytes) return { peak: each };
  return fitsIn(once, roomOf(world)) ? { peak: once, decodedOnce: true } : { peak: each, decodedOnce: false };
}

/** `float32Bytes`: weights that take no more as float32 are held so, as in an eval stage. */
function forwardMemory(
  world: PlanWorld,
  model: PlannedModel,
  longest: number,
  float32Bytes = 0,
): ForwardMemory {
  const config = writtenConfig(world, model);
  const trainer = model.root.adapterOf;
  const trained = trainer === undefined ? undefined : world.chosen.get(trainer);
  const holding = trained?.paged ? 'paged' : trained?.method === 'qlora' ? 'qlora' : 'lora';
  const lora = trainer === undefined ? undefined : adapterConfig(world, trainer);
  const without = unreadHead(config, lora);
  const isFloat32 = holding !== 'paged' && float32BytesOf(config, without) <= float32Bytes;
  return {
    config,
    ...(isFloat32
      ? {
          weightBytes: float32BytesOf(config, without),
          decoded: false,
          keptByProcess: false,
        }
      : heldBy({ ...model, config, lora }, holding)),
    lora,
    longest,
    tokenizerBytes: model.tokenizerBytes,
    onDevice: world.machine.devices.length > 0,
    device: world.device,
    runtime: world.runtime.name,
    compiles: isCompiled(world.runtime.version),
    largestTensor: world.largestTensor,
    planDecoder: world.planDecoder,
  };
}

/** A model that a train stage or a merge writes is a classifier where what it was trained on has labels. */
function writtenConfig(world: PlanWorld, { config, root }: PlannedModel): ModelConfig {
  const trainer = root.trainedBy === undefined ? undefined : stageNamed(world.program, root.trainedBy);
  if (trainer === undefined || !world.chosen.has(trainer.name)) return config;
  const base = world.models.of(trainer.settings['base']);
  return base === undefined ? config : adaptedConfig(config, world.lora(trainer, base));
}

/** Whether a train stage left its base in its files: then the stages that use its adapter do so too. */
const isPaged = (world: PlanWorld, trainer: string | undefined): boolean =>
  trainer !== undefined && world.chosen.get(trainer)?.paged === true;

const heldBy = (
  model: HeldModel,
  holding: Holding,
): Pick<ForwardMemory, 'weightBytes' | 'decoded' | 'keptByProcess'> => ({
  weightBytes: weightBytes(model)[holding],
  decoded: decodedWeights(model)[holding],
  keptByProcess: keptByProcess(model)[holding],
});

function adapterConfig(world: PlanWorld, trainer: string): LoraConfig | undefined {
  const stage = stageNamed(world.program, trainer);
  const chosen = world.chosen.get(trainer);
  if (stage === undefined || chosen === undefined || chosen.method === 'full') return undefined;
  const base = world.models.of(stage.settings['base']);
  return base && { ...plainConfig(chosenLora(world.lora(stage, base), chosen)), dropout: 0 };
}

function flopsPerToken(world: PlanWorld, memory: ForwardMemory): number {
  const length = Math.min(128, memory.config.maxPositions);
  const { flops } = world.planDecoder({
    config: memory.config,
    lora: memory.lora,
    trainable: 'none',
    weightBytes: memory.weightBytes,
    decoded: memory.decoded,
    rows: 1,
    length,
    checkpointedBlocks: 0,
    headChunk: EVALUATION_SHAPES.headChunk,
  });
  return flops / length;
}
