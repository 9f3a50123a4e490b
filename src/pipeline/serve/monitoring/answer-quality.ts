/** What can be said of an answer without knowing what would be right. */
import { repeatedShare } from '../../../compute/evaluation/metrics/repetition.js';

export interface AnswerQuality {
  /** As the metric of evaluations: share of the runs of four words that the answer had said before. */
  readonly repetition: number;
  readonly isRefusal: boolean;
}

/** Letters of a long answer that are looked at. */
const MOST_LETTERS = 40_000;

/** Openings of answers that decline, in the first sentences: rules, not a model. */
const REFUSALS: readonly RegExp[] = [
  /\bI(?:'m| am) (?:sorry|afraid|unable|not able)\b/i,
  /\bI (?:can(?:'t|not|not)|could not|couldn't|won't|will not|must decline|have to decline)\b/i,
  /\b(?:as|being) an? (?:AI|language model)\b/i,
  /\bI (?:don't|do not) (?:feel comfortable|have (?:access|the ability|enough information))\b/i,
  /\b(?:not (?:appropriate|allowed|permitted) to|against (?:my|the) (?:guidelines|policy|policies))\b/i,
];
/** Letters in which a refusal begins. */
const OPENING = 160;

export const answerQuality = (answer: string): AnswerQuality => ({
  repetition: repeatedShare(answer.slice(0, MOST_LETTERS)),
  isRefusal: isRefusal(answer.slice(0, OPENING).replaceAll('’', "'")),
});

const isRefusal = (opening: string): boolean => REFUSALS.some((rule) => rule.test(opening));

/** Of all answers to one request: the mean repetition, and whether any declined. */
export function qualityOf(answers: readonly string[]): AnswerQuality | undefined {
  if (answers.length === 0) return undefined;
  const each = answers.map(answerQuality);
  return {
    repetition: each.reduce((sum, { repetition }) => sum + repetition, 0) / each.length,
    isRefusal: each.some((one) => one.isRefusal),
  };
}
