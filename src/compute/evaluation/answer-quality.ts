/** What can be said of an answer without knowing what would be right. */
import { isRefusal } from './metrics/refusals.js';
import { repeatedShare } from './metrics/repetition.js';

interface AnswerQuality {
  /** As the metric of evaluations: share of the runs of four words that the answer had said before. */
  readonly repetition: number;
  readonly isRefusal: boolean;
}

/** Letters of a long answer that are looked at. */
const MOST_LETTERS = 40_000;

export const answerQuality = (answer: string): AnswerQuality => ({
  repetition: repeatedShare(answer.slice(0, MOST_LETTERS)),
  isRefusal: isRefusal(answer),
});

/** Of all answers to one request: the mean repetition, and whether any declined. */
export function qualityOf(answers: readonly string[]): AnswerQuality | undefined {
  if (answers.length === 0) return undefined;
  const each = answers.map(answerQuality);
  return {
    repetition: each.reduce((sum, { repetition }) => sum + repetition, 0) / each.length,
    isRefusal: each.some((one) => one.isRefusal),
  };
}

/** How long answers are and what is said of them, of an evaluation: what those of a server are held against. */
export interface AnswerProfile {
  /** Answers that it is of. */
  readonly count: number;
  /** Tokens of an answer, without what ended it. */
  readonly tokens: {
    readonly mean: number;
    readonly median: number;
    readonly p95: number;
    readonly most: number;
  };
  /** Mean share of the runs of four words that an answer had said before. */
  readonly repetition: number;
  /** Share of the answers that decline. */
  readonly refusals: number;
}

/** `undefined` of none. */
export function answerProfile(
  answers: readonly { readonly text: string; readonly tokens: number }[],
): AnswerProfile | undefined {
  if (answers.length === 0) return undefined;
  const tokens = answers.map((answer) => answer.tokens).sort((a, b) => a - b);
  const each = answers.map(({ text }) => answerQuality(text));
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    count: answers.length,
    tokens: {
      mean: mean(tokens),
      median: quantile(tokens, 0.5),
      p95: quantile(tokens, 0.95),
      most: tokens.at(-1) ?? 0,
    },
    repetition: mean(each.map(({ repetition }) => repetition)),
    refusals: mean(each.map(({ isRefusal }) => Number(isRefusal))),
  };
}

/** Of sorted values: the one below which this share of them is, as a server's is. */
const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
