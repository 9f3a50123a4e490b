/** What a classifier makes of labelled rows. */

import type { Place } from '../../language/diagnostics/types.js';
import type { Decoder } from '../models/decoder/types.js';
import { classPosition, padIdOf } from '../models/labels.js';
import type { Tokenizer } from '../models/types.js';
import { buildBatch, IGNORED } from '../training/batch.js';
import { beginning, checkPrompt } from './chat.js';
import { EVALUATION_SHAPES } from './evaluation-decoder.js';
import { noNumbers } from './evaluation-diagnostics.js';
import { NoNumberError } from './generation/answer.js';
import { lossBatches, type RowLoss } from './losses.js';
import type { MeasuredRow } from './metrics/types.js';
import type { HeldOut, Observation } from './observe.js';

interface ClassifyOptions {
  readonly heldOut: HeldOut;
  /** Labels by the classes that the rows have. */
  readonly rowLabels: readonly string[];
  readonly onProgress?: (done: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Class, answer and loss of every row; classes are the model's. Its answer is the label with the largest logit, of several
 * the first. Throws a {@link NoNumberError} for a logit that is not a number.
 */
export async function classifyRows(
  decoder: Decoder,
  options: ClassifyOptions,
): Promise<Required<Observation>> {
  const { heldOut, rowLabels, onProgress, signal } = options;
  const { labels = [], maxPositions } = decoder.options.config;
  const numberOf = rowLabels.map((label) => labels.indexOf(label));
  const { tokens } = heldOut;
  const losses: RowLoss[] = Array.from({ length: tokens.count }, () => ({ sum: 0, tokens: 1 }));
  const classes: NonNullable<MeasuredRow['classes']>[] = losses.map(() => ({ truth: 0, predicted: 0 }));
  let done = 0;
  for (const rows of lossBatches(tokens, EVALUATION_SHAPES.batchTokens)) {
    signal?.throwIfAborted();
    const logits = await decoder.classify(buildBatch(tokens, rows, heldOut.padId, maxPositions));
    rows.forEach((row, index) => {
      const own = logits.subarray(index * labels.length, (index + 1) * labels.length);
      if (!own.every(Number.isFinite)) throw new NoNumberError();
      const truth = numberOf[classOf(tokens.read(row).labels)] ?? 0;
      losses[row] = { sum: crossEntropy(own, truth), tokens: 1 };
      classes[row] = { truth, predicted: largestAt(own) };
    });
    done += rows.length;
    onProgress?.(done);
  }
  const answers = new Map(classes.map(({ predicted }, row) => [row, labels[predicted] ?? '']));
  return { losses, answers, classes };
}

const classOf = (labels: Int32Array): number => labels.find((label) => label !== IGNORED) ?? 0;

const largestAt = (logits: Float32Array): number =>
  logits.reduce((best, logit, at) => (logit > (logits[best] ?? 0) ? at : best), 0);

/** In nats, summed in float64. */
function crossEntropy(logits: Float32Array, truth: number): number {
  const largest = Math.max(...logits);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  return Math.log(sum) + largest - (logits[truth] ?? 0);
}

/** The probabilities of the labels: softmax. */
function probabilities(logits: Float32Array): readonly number[] {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

export interface Classification {
  /** The likeliest label. */
  readonly label: string;
  /** Of every label, the likeliest first. */
  readonly shares: readonly { readonly label: string; readonly probability: number }[];
}

/** A model that gives texts labels. */
export interface Classifier {
  /** What it was opened from, for people. */
  readonly label: string;
  readonly labels: readonly string[];
  /** Calls must not overlap. Throws a `UserError` for a text that is longer than the model. */
  classify(text: string, at?: Place): Promise<Classification>;
  release(): Promise<void>;
}

export function classifier({
  label,
  decoder,
  tokenizer,
}: {
  readonly label: string;
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
}): Classifier {
  const { config } = decoder.options;
  const { labels = [] } = config;
  return {
    label,
    labels,
    async classify(text, at) {
      const ids = beginning(tokenizer.encode(text), tokenizer);
      checkPrompt(label, ids, tokenizer, { ...config, maxPositions: config.maxPositions + 1 }, at);
      const marks = new Int32Array(ids.length).fill(IGNORED);
      marks[classPosition(ids, padIdOf(config))] = 0;
      const logits = await decoder.classify({ rows: 1, length: ids.length, ids, labels: marks });
      if (!logits.every(Number.isFinite)) throw noNumbers(label);
      const shares = probabilities(logits)
        .map((probability, number) => ({ label: labels[number] ?? '', probability }))
        .sort((a, b) => b.probability - a.probability);
      return { label: shares[0]?.label ?? '', shares };
    },
    release: () => decoder.release(),
  };
}
