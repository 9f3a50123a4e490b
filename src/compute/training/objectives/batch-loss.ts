/** The loss of a batch of preferences: forward and backward, or forward alone. */
import type { Decoder, DropoutKey, TokenLosses } from '../../models/decoder/types.js';
import { buildBatch, microBatches, type TokenRow } from '../batch.js';
import type { PreferenceFigures } from '../state.js';
import { type AlikeTexts, answerLosses, joinedLength, joinedTexts } from './joined.js';
import { divergence, type LabelledLoss, labelledLoss } from './kto.js';
import { pairLoss } from './pairwise.js';
import { mismatchedText, neighbours, type PreferenceRow, type PreferenceRows } from './rows.js';
import { ruleOf } from './rules.js';
import {
  type ComputedTexts,
  learnedTokens,
  rowsOf,
  separateTexts,
  type Text,
  type TokenUse,
  textsIn,
  tokenUses,
} from './texts.js';
import type { AnswerSums, PairLoss, PairObjective, PreferenceObjective } from './types.js';

/** Sums of log-probabilities under the reference, in nats. */
export interface References {
  /** Of the chosen text of a row, or its only one, and of the rejected one. */
  of(row: number, side: 0 | 1): number;
  /** Of each row's prompt with the answer of the row before it in the batch, the first with the last one's. */
  mismatched(rows: Uint32Array): ArrayLike<number>;
}

export interface PreferenceInput {
  readonly decoder: Decoder;
  readonly source: PreferenceRows;
  readonly objective: PreferenceObjective;
  /** Where the objective has a reference. */
  readonly references?: References;
  /** Rows that are computed at a time. */
  readonly microBatch: number;
  readonly padId: number;
  /** Called before each micro batch: lets others work, and throws when training is to end. */
  pause(): Promise<void>;
}

export interface PreferenceLoss {
  /** Mean over the rows, with what else is learned. */
  readonly loss: number;
  readonly preference: PreferenceFigures;
}

/**
 * Computes a batch; with `key` adds its gradients to the decoder's. Means are over the rows, and cross entropies over the
 * tokens, of the whole batch: how it is cut into micro batches changes nothing.
 */
export async function preferenceLoss(
  input: PreferenceInput,
  rows: Uint32Array,
  key?: Omit<DropoutKey, 'micro'>,
): Promise<PreferenceLoss> {
  const { decoder, source, objective } = input;
  const kl = objective.kind === 'kto' ? await klOf(input, rows) : undefined;
  const crossEntropy = ruleOf(objective).crossEntropy(objective);
  const perToken =
    crossEntropy === 0 ? 0 : crossEntropy / Math.max(1, learnedTokens(objective, source, rows));
  const tally = new Tally(rows.length);
  const cuts = microBatches(rows, input.microBatch, (row) => computedLength(source, row));
  for (const [micro, cut] of cuts.entries()) {
    await input.pause();
    const texts = textsIn(source, cut);
    const { batch, placed } = computedTexts(input, texts);
    const weigh = (losses: TokenLosses): Float32Array => {
      const tokens = placed(losses);
      const uses = tokenUses(objective, texts, tokens);
      const slopes = slopesOf(input, texts, tokens.losses, uses, kl ?? 0, tally);
      return Float32Array.from(uses, ({ text, isAnswer, isLearned }, index) => {
        const extra = isLearned ? perToken : 0;
        tally.loss += extra * (tokens.losses[index] ?? 0);
        return extra + (isAnswer ? (slopes[text] ?? 0) : 0);
      });
    };
    if (key === undefined) await decoder.loss(batch, (tokens) => void weigh(tokens));
    else await decoder.accumulate(batch, weigh, { ...key, micro });
  }
  return { loss: tally.loss, preference: { ...tally.figures(), ...(kl !== undefined && { kl }) } };
}

const computedTexts = (
  { decoder, source, objective, padId }: PreferenceInput,
  texts: readonly Text[],
): ComputedTexts =>
  source.sharesPrompts === true
    ? joinedTexts(objective, texts, padId)
    : separateTexts(objective, texts, padId, decoder.options.config.maxPositions);

/** Tokens of the longest row that is computed for a pair. */
function computedLength(source: PreferenceRows, row: number): number {
  if (source.sharesPrompts !== true) return source.lengthOf(row);
  const pair = source.read(row);
  return 'answer' in pair ? pair.answer.ids.length : joinedLength([pair.chosen, pair.rejected]);
}

/** Adds up a batch's figures. */
class Tally {
  /** Mean over the rows, and the cross entropies that are learned as well. */
  loss = 0;
  private readonly rewards: [chosen: number[], rejected: number[]] = [[], []];
  private pairs = 0;
  private right = 0;

  constructor(readonly rows: number) {}

  pair({ loss, rewards: [chosen, rejected] }: Pick<PairLoss, 'loss' | 'rewards'>): void {
    this.loss += loss / this.rows;
    this.rewards[0].push(chosen);
    this.rewards[1].push(rejected);
    this.pairs += 1;
    if (chosen > rejected) this.right += 1;
  }

  labelled({ loss, reward }: Pick<LabelledLoss, 'loss' | 'reward'>, isDesirable: boolean): void {
    this.loss += loss / this.rows;
    this.rewards[isDesirable ? 0 : 1].push(reward);
  }

  figures(): PreferenceFigures {
    const [chosen, rejected] = this.rewards.map((values) =>
      values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length,
    );
    return {
      ...(chosen !== undefined && { chosen }),
      ...(rejected !== undefined && { rejected }),
      ...(this.pairs > 0 && { accuracy: this.right / this.pairs }),
    };
  }
}

/** Of each text: how the batch's loss changes with the loss that the decoder gives for a token of its answer. */
function slopesOf(
  { source, objective, references }: PreferenceInput,
  texts: readonly Text[],
  losses: Float32Array,
  uses: readonly TokenUse[],
  kl: number,
  tally: Tally,
): Float64Array {
  // a decoder gives cross entropies, which are log-probabilities with the other sign, but scores as they are
  const sign = objective.kind === 'reward' ? 1 : -1;
  const sums = texts.map(({ row, side }) => ({
    sum: 0,
    tokens: 0,
    reference: references?.of(row, side) ?? 0,
  }));
  for (const [index, { text, isAnswer }] of uses.entries()) {
    const answer = sums[text];
    if (answer === undefined || !isAnswer) continue;
    answer.sum += sign * (losses[index] ?? 0);
    answer.tokens += 1;
  }
  const slopes =
    objective.kind === 'kto'
      ? texts.map(({ row }, text) => {
          const isDesirable = isGood(source.read(row));
          const found = labelledLoss(objective, sums[text] ?? NOTHING, isDesirable, kl);
          tally.labelled(found, isDesirable);
          return found.slope;
        })
      : pairSlopes(objective, sums, tally);
  return Float64Array.from(slopes, (slope) => (sign * slope) / tally.rows);
}

const NOTHING: AnswerSums = { sum: 0, tokens: 0, reference: 0 };

const isGood = (row: PreferenceRow): boolean => 'answer' in row && row.isDesirable;

/** The first half of the texts is chosen, the second half rejected. */
function pairSlopes(objective: PairObjective, sums: readonly AnswerSums[], tally: Tally): readonly number[] {
  const half = sums.length / 2;
  const found = sums.slice(0, half).map((chosen, pair) => {
    const loss = pairLoss(objective, chosen, sums[half + pair] ?? NOTHING);
    tally.pair(loss);
    return loss.slopes;
  });
  return [...found.map(([chosen]) => chosen), ...found.map(([, rejected]) => rejected)];
}

/** {@link divergence} of a batch: each prompt with the answer of the row before it. */
async function klOf(input: PreferenceInput, rows: Uint32Array): Promise<number> {
  const texts = neighbours(rows).map((pair) => mismatchedText(input.source, pair));
  const sums = await answerSums(input, texts);
  const references = input.references?.mismatched(rows) ?? [];
  return divergence(Array.from(sums, (sum, index) => ({ sum, reference: references[index] ?? 0 })));
}

/** Sums of the log-probabilities of answers, in nats, in the order of the texts. Forward alone. */
export async function answerSums(
  { decoder, microBatch, padId, pause }: Pick<PreferenceInput, 'decoder' | 'microBatch' | 'padId' | 'pause'>,
  texts: readonly TokenRow[],
): Promise<Float64Array> {
  const sums = new Float64Array(texts.length);
  const rows = rowsOf(texts);
  for (const cut of microBatches(Uint32Array.from(texts.keys()), microBatch, rows.lengthOf)) {
    await pause();
    const found = await decoder.loss(buildBatch(rows, cut, padId, decoder.options.config.maxPositions));
    for (const [index, text] of cut.entries()) sums[text] = -(found.rows[index]?.sum ?? 0);
  }
  return sums;
}

/**
 * The same of pairs whose prompt is computed once; `microBatch` of them are computed at a time. Of each, the chosen answer's sum is
 * followed by the rejected one's.
 */
export async function pairSums(
  { decoder, microBatch, padId, pause }: Pick<PreferenceInput, 'decoder' | 'microBatch' | 'padId' | 'pause'>,
  pairs: readonly AlikeTexts[],
): Promise<Float64Array> {
  const sums = new Float64Array(2 * pairs.length);
  const lengths = pairs.map(joinedLength);
  for (const cut of microBatches(Uint32Array.from(pairs.keys()), microBatch, (pair) => lengths[pair] ?? 0)) {
    await pause();
    const asked = Array.from(cut, (pair) => pairs[pair] as AlikeTexts);
    const found = await answerLosses(decoder, asked, padId);
    for (const [index, pair] of cut.entries())
      for (const side of [0, 1]) sums[2 * pair + side] = -(found[index]?.[side]?.sum ?? 0);
  }
  return sums;
}
