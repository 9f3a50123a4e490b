/** Texts of preferences, as a decoder computes them. */
import type { Batch, TokenLosses } from '../../models/decoder/types.js';
import { buildBatch, IGNORED, type TokenRow, type TokenRows } from '../batch.js';
import { type PreferenceRows, textsOf } from './rows.js';
import { ruleOf } from './rules.js';
import type { PreferenceObjective } from './types.js';

/** A text, whose labels are its answer. */
export interface Text extends TokenRow {
  readonly row: number;
  /** 0: chosen, or the only one of its row; 1: rejected. */
  readonly side: 0 | 1;
}

/** All chosen texts, then all rejected ones. */
export function textsIn(source: PreferenceRows, rows: Uint32Array): readonly Text[] {
  const read = Array.from(rows, (row) => textsOf(source.read(row)).map((text) => ({ ...text, row })));
  return ([0, 1] as const).flatMap((side) =>
    read.flatMap((texts) => texts.slice(side, side + 1)).map((text) => ({ ...text, side })),
  );
}

/** The texts as rows of a batch; ORPO learns the prompts of chosen answers too, and a reward model scores the last token. */
function textBatch(
  objective: PreferenceObjective,
  texts: readonly Text[],
  padId: number,
  limit: number,
): Batch {
  const rows = rowsOf(texts.map((text) => ({ ids: text.ids, labels: textLabels(objective, text) })));
  return buildBatch(rows, Uint32Array.from(texts.keys()), padId, limit);
}

/** Texts in a batch, and where its losses are in them. */
export interface ComputedTexts {
  readonly batch: Batch;
  /** The same losses by texts and places in these. */
  placed(tokens: TokenLosses): TokenLosses;
}

/** Each in a row of its own. */
export const separateTexts = (...texts: Parameters<typeof textBatch>): ComputedTexts => ({
  batch: textBatch(...texts),
  placed: (tokens) => tokens,
});

const NO_ROW: TokenRow = { ids: new Int32Array(0), labels: new Int32Array(0) };

export const rowsOf = (texts: readonly TokenRow[]): TokenRows => ({
  count: texts.length,
  lengthOf: (row) => texts[row]?.ids.length ?? 0,
  read: (row) => texts[row] ?? NO_ROW,
});

/** What of a text is asked for. */
export function textLabels(objective: PreferenceObjective, { ids, labels, side }: Text): Int32Array {
  if (objective.kind === 'reward') return scoredLabels(ids);
  return ruleOf(objective).learns === 'texts' && side === 0 ? ids : labels;
}

/** Labels of a text whose score is read at its last token. */
export const scoredLabels = ({ length }: Int32Array): Int32Array =>
  new Int32Array(length).fill(IGNORED).fill(0, length - 1);

/** What a token's loss is part of. */
export interface TokenUse {
  readonly text: number;
  readonly isAnswer: boolean;
  /** Its cross entropy is learned as well. */
  readonly isLearned: boolean;
}

/** For each token that has a loss, in the order of `losses`: the text that it belongs to, and what it counts for. */
export function tokenUses(
  objective: PreferenceObjective,
  texts: readonly Text[],
  { losses, rows, places }: Pick<TokenLosses, 'losses' | 'rows' | 'places'>,
): readonly TokenUse[] {
  const { learns } = ruleOf(objective);
  return Array.from(losses, (_, index) => {
    const text = rows[index] ?? 0;
    const { labels, side } = texts[text] ?? { labels: [], side: 1 };
    const isAnswer = objective.kind === 'reward' || labels[places[index] ?? 0] !== IGNORED;
    return { text, isAnswer, isLearned: side === 0 && (isAnswer || learns === 'texts') };
  });
}

/** Tokens of the chosen texts whose cross entropy is learned, over a whole batch: nothing predicts a text's first one. */
export function learnedTokens(
  objective: PreferenceObjective,
  source: PreferenceRows,
  rows: Uint32Array,
): number {
  let count = 0;
  for (const { ids, labels, side } of textsIn(source, rows)) {
    if (side !== 0) continue;
    const counted = ruleOf(objective).learns === 'texts' ? ids : labels;
    for (let place = 1; place < counted.length; place++) if (counted[place] !== IGNORED) count++;
  }
  return count;
}
