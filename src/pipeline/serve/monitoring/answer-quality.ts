/** What can be said of an answer without knowing what would be right. */
import { isRefusal } from '../../../compute/evaluation/metrics/refusals.js';
import { repeatedShare } from '../../../compute/evaluation/metrics/repetition.js';

export interface AnswerQuality {
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
