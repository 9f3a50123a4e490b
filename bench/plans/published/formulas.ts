/** Public formulas of training memory, as their sources have them: GiB of one device, `undefined` where they say nothing. */
import { decoderShape, trainedNumbers } from '../../../src/compute/accelerate/memory/index.js';
import { parametersOf } from '../../../src/compute/accelerate/memory/shape.js';
import { STORED_BYTES } from '../../../src/compute/accelerate/memory/training.js';
import { type TrainingRun, trainingOf } from './runs.js';

const GIB = 2 ** 30;

type Formula = (run: TrainingRun) => number | undefined;

/**
 * `accelerate estimate-memory` (accelerate, `commands/estimate.py` and `utils/modeling.py`): the largest of model, gradients,
 * optimiser and step with Adam, of all weights: 16 bytes per number in float32, 8 in 16 bits. It knows no adapters, batches or
 * devices.
 */
const accelerate: Formula = ({ model, precision }) =>
  ((precision === 'float32' ? 16 : 8) * parametersOf(decoderShape(model))) / GIB;

/**
 * Transformer Math 101 (EleutherAI's blog, April 2023): weights, 12 bytes of AdamW and a gradient per trained number, and
 * activations after Korthikanti et al. (arXiv 2205.05198): s·b·h·L·(34 + 5·a·s/h) bytes, 2·s·b·h·L where all is recomputed.
 */
const transformerMath: Formula = (run) => {
  const { model, rows, length, isCheckpointed, world = 1, sharding = 'none', quantised, precision } = run;
  const { layers, hidden, heads } = model;
  const numbers = parametersOf(decoderShape(model));
  const trained = trainedNumbers(trainingOf(run));
  const width = precision === 'float32' || precision === 'mixed' ? 4 : 2;
  const isCut = sharding === 'zero3' || sharding === 'fsdp';
  const perToken = isCheckpointed ? 2 : 34 + (run.attention === 'eager' ? (5 * heads * length) / hidden : 0);
  const activations = length * rows * hidden * layers * perToken * (width / 2);
  const weights =
    (numbers * STORED_BYTES[quantised ?? (width === 4 ? 'float32' : 'bfloat16')]) / (isCut ? world : 1);
  const states = (trained * (12 + width)) / (sharding === 'none' ? 1 : world);
  return (weights + states + activations) / GIB;
};

/** Unsloth's documentation, "VRAM requirements": billions of parameters, GB with QLoRA and with LoRA in 16 bits. */
const UNSLOTH: readonly (readonly [billions: number, qlora: number, lora: number])[] = [
  [3, 3.5, 8],
  [7, 5, 19],
  [8, 6, 22],
  [9, 6.5, 24],
  [11, 7.5, 29],
  [14, 8.5, 33],
  [27, 22, 64],
  [32, 26, 76],
  [40, 30, 96],
  [70, 41, 164],
  [81, 48, 192],
  [90, 53, 212],
  [405, 237, 950],
];

const unsloth: Formula = ({ model, method, quantised, world = 1 }) => {
  const billions = parametersOf(decoderShape(model)) / 1e9;
  const above = UNSLOTH.findIndex(([size]) => size >= billions);
  const [low, high] = [UNSLOTH[above - 1], UNSLOTH[above]];
  if (method !== 'lora' || world > 1 || low === undefined || high === undefined) return undefined;
  const column = quantised === undefined ? 2 : 1;
  return low[column] + ((high[column] - low[column]) * (billions - low[0])) / (high[0] - low[0]);
};

export const FORMULAS = { accelerate, 'transformer math': transformerMath, unsloth } as const;
export type FormulaName = keyof typeof FORMULAS;
