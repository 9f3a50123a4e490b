/** What a classifier makes of labelled rows. */

import type { Place } from '../../language/diagnostics/types.js';
import { classPosition, padIdOf } from '../models/labels.js';
import type { Tokenizer } from '../models/types.js';
import { IGNORED } from '../training/batch.js';
import { beginning, checkPrompt } from './chat.js';
import { noNumbers } from './evaluation-diagnostics.js';
import { NoNumberError } from './generation/answer.js';
import type { LanguageModel } from './language-model.js';
import type { RowLoss } from './losses.js';
import type { MeasuredRow } from './metrics/types.js';
import type { HeldOut, Observation } from './observe.js';
import { scoreRows } from './scores.js';

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
  model: LanguageModel,
  options: ClassifyOptions,
): Promise<Required<Omit<Observation, 'answerTokens' | 'answerIds' | 'judged' | 'rewards'>>> {
  const { heldOut, rowLabels, onProgress, signal } = options;
  const { labels = [] } = model.facts;
  const numberOf = rowLabels.map((label) => labels.indexOf(label));
  const { tokens } = heldOut;
  const losses: RowLoss[] = Array.from({ length: tokens.count }, () => ({ sum: 0, tokens: 1 }));
  const classes: NonNullable<MeasuredRow['classes']>[] = losses.map(() => ({ truth: 0, predicted: 0 }));
  await model.classify(tokens, { padId: heldOut.padId, onProgress, signal }, (row, logits) => {
    if (!logits.every(Number.isFinite)) throw new NoNumberError();
    const truth = numberOf[classOf(tokens.read(row).labels)] ?? 0;
    losses[row] = { sum: crossEntropy(logits, truth), tokens: 1 };
    classes[row] = { truth, predicted: largestAt(logits) };
  });
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
  /** Of a reward model, whose one label has no probability. */
  readonly score?: number;
}

async function scored(
  model: LanguageModel,
  [label = '']: readonly string[],
  ids: Int32Array,
): Promise<Classification> {
  const rows = { count: 1, lengthOf: () => ids.length, read: () => ({ ids, labels: ids }) };
  const [score = Number.NaN] = await scoreRows(model, rows, { padId: padIdOf(model.facts) });
  return { label, shares: [{ label, probability: 1 }], score };
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
  model,
  tokenizer,
}: {
  readonly label: string;
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
}): Classifier {
  const { labels = [], ...facts } = model.facts;
  return {
    label,
    labels,
    async classify(text, at) {
      const ids = beginning(tokenizer.encode(text), tokenizer);
      checkPrompt(label, ids, tokenizer, { ...facts, maxPositions: facts.maxPositions + 1 }, at);
      const padId = padIdOf(facts);
      const marks = new Int32Array(ids.length).fill(IGNORED);
      marks[classPosition(ids, padId)] = 0;
      const rows = { count: 1, lengthOf: () => ids.length, read: () => ({ ids, labels: marks }) };
      if (labels.length === 1) return scored(model, labels, ids);
      let found: readonly number[] = [];
      await model.classify(rows, { padId }, (_, logits) => {
        if (!logits.every(Number.isFinite)) throw noNumbers(label);
        found = probabilities(logits);
      });
      const shares = found
        .map((probability, number) => ({ label: labels[number] ?? '', probability }))
        .sort((a, b) => b.probability - a.probability);
      return { label: shares[0]?.label ?? '', shares };
    },
    release: () => model.release(),
  };
}
