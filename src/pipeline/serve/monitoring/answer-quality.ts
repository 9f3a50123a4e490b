/** What can be said of an answer without knowing what would be right. */

export interface AnswerQuality {
  /** Share of the 4-grams of words that the answer had said before, 0 to 1; 0 for answers of less than four words. */
  readonly repetition: number;
  readonly isRefusal: boolean;
}

const GRAM = 4;
/** Of a long answer, the beginning is looked at. */
const MOST_WORDS = 2000;
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

export function answerQuality(answer: string): AnswerQuality {
  const words =
    answer
      .slice(0, MOST_LETTERS)
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu)
      ?.slice(0, MOST_WORDS) ?? [];
  const seen = new Set<string>();
  let repeated = 0;
  for (let at = GRAM; at <= words.length; at++) {
    const gram = words.slice(at - GRAM, at).join(' ');
    if (seen.has(gram)) repeated++;
    else seen.add(gram);
  }
  const grams = Math.max(0, words.length - GRAM + 1);
  const opening = answer.slice(0, OPENING).replaceAll('’', "'");
  return {
    repetition: grams === 0 ? 0 : repeated / grams,
    isRefusal: REFUSALS.some((rule) => rule.test(opening)),
  };
}

/** Of all answers to one request: the mean repetition, and whether any declined. */
export function qualityOf(answers: readonly string[]): AnswerQuality | undefined {
  if (answers.length === 0) return undefined;
  const each = answers.map(answerQuality);
  return {
    repetition: each.reduce((sum, { repetition }) => sum + repetition, 0) / each.length,
    isRefusal: each.some(({ isRefusal }) => isRefusal),
  };
}
