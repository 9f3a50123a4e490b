import type { Batch, Decoder } from '../models/decoder/types.js';
import {
  buildBatch,
  buildPacked,
  microBatches,
  type Packing,
  packedBatches,
  supervisedTokens,
  type TokenRows,
  validationBatches,
} from './batch.js';
import { clipFactor } from './clip.js';
import { notFinite } from './failures.js';
import type { Updater } from './optimizers/optimizer.js';

interface StepInput {
  readonly decoder: Decoder;
  readonly updater: Updater;
  readonly source: TokenRows;
  /** Rows of the global batch. */
  readonly rows: Uint32Array;
  /** Rows, or sequences of rows, that are computed at a time. */
  readonly microBatch: number;
  readonly packing?: Packing;
  readonly padId: number;
  readonly seed: number;
  /** From 1. */
  readonly step: number;
  readonly rate: number;
  /** Largest global norm of the gradient; default: not clipped. */
  readonly clip?: number;
  /** α of NEFTune; default: no noise. */
  readonly noise?: number;
  /** Called before each micro batch: lets others work, and throws when training is to end. */
  pause(): Promise<void>;
}

interface StepOutput {
  readonly loss: number;
  readonly gradNorm: number;
  /** Tokens without padding. */
  readonly tokens: number;
}

/**
 * One optimiser step. The loss is the sum of cross entropies over the supervised tokens of the whole global batch,
 * divided by their number: a mean of means of micro batches would weigh tokens unequally. Parameters change only at
 * the end, so that a step that throws has changed nothing.
 */
export async function optimiserStep(input: StepInput): Promise<StepOutput> {
  const { decoder, updater, source, rows, seed, step, rate } = input;
  const limit = decoder.options.config.maxPositions;
  const lengthOf = (row: number): number => source.lengthOf(row);
  const batches = batchesOf(input, lengthOf, limit);
  const supervised = batches.reduce(
    (sum, { batch }) => sum + supervisedTokens(batch, firstLabel(decoder)),
    0,
  );
  const scale = supervised > 0 ? 1 / supervised : 0;
  decoder.zeroGradients();
  let sum = 0;
  for (const [micro, { batch, longest }] of batches.entries()) {
    await input.pause();
    const noise = noiseBound(input.noise ?? 0, longest, decoder.options.config.hiddenSize);
    const result = await decoder.accumulate(batch, scale, { seed, step, micro }, noise);
    sum += result.sum;
  }
  const loss = sum * scale;
  if (!Number.isFinite(loss)) throw notFinite('loss', loss, step, rate);
  const gradNorm = await updater.norm();
  if (!Number.isFinite(gradNorm)) throw notFinite('gradient norm', gradNorm, step, rate);
  await updater.update(step, rate, clipFactor(gradNorm, input.clip));
  return { loss, gradNorm, tokens: rows.reduce((total, row) => total + lengthOf(row), 0) };
}

/** The first position of a text whose label counts: nothing predicts a text's first token, and its class may be there. */
const firstLabel = ({ options }: Decoder): number => (options.config.labels === undefined ? 1 : 0);

interface MicroBatch {
  readonly batch: Batch;
  /** Tokens of the longest row, or of the fullest sequence of packed ones. */
  readonly longest: number;
}

function batchesOf(
  { decoder, source, rows, microBatch, packing, padId }: StepInput,
  lengthOf: (row: number) => number,
  limit: number,
): readonly MicroBatch[] {
  if (packing === undefined)
    return microBatches(rows, microBatch, lengthOf).map((cut) => ({
      batch: buildBatch(source, cut, padId, limit),
      longest: Math.max(...Array.from(cut, lengthOf)),
    }));
  const capacity = Math.min(packing.capacity, limit);
  const tokensOf = (sequence: Uint32Array): number => sequence.reduce((sum, row) => sum + lengthOf(row), 0);
  return packedBatches(rows, microBatch, capacity, lengthOf).map((sequences) => ({
    batch: buildPacked(source, sequences, padId, { ...packing, capacity, firstLabel: firstLabel(decoder) }),
    longest: Math.max(...sequences.map(tokensOf)),
  }));
}

/**
 * Largest magnitude of the noise on a value of the embedded tokens: α ÷ √(length·width), for rows that are padded to
 * `length` (Jain et al. 2023, arXiv 2310.05914; transformers, `neftune_post_forward_hook`).
 */
const noiseBound = (alpha: number, length: number, width: number): number =>
  alpha / Math.sqrt(length * width);

/** Mean cross entropy over all supervised tokens, in nats: no batch counts more than its tokens. */
export async function validationLoss({
  decoder,
  source,
  microBatch,
  padId,
  pause,
}: Pick<StepInput, 'decoder' | 'source' | 'microBatch' | 'padId' | 'pause'>): Promise<number> {
  let sum = 0;
  let tokens = 0;
  for (const rows of validationBatches(source, microBatch)) {
    await pause();
    const result = await decoder.loss(buildBatch(source, rows, padId, decoder.options.config.maxPositions));
    sum += result.sum;
    tokens += result.tokens;
  }
  return tokens > 0 ? sum / tokens : 0;
}
