/** Questions whose choices are rows: which choice is the likeliest. */
import type { RowLoss } from './losses.js';
import type { MeasuredRow } from './metrics/types.js';
import type { HeldOut, RowText } from './observe.js';

/** A question by the rows of its choices, which follow each other. */
export interface ChoiceQuestion {
  readonly first: number;
  readonly text: RowText;
  /** Number of the right choice. */
  readonly answer: number;
  readonly choices: readonly NonNullable<RowText['choice']>[];
}

/** `undefined` for rows that are no choices. */
export function questionsOf({ tokens, text }: HeldOut): readonly ChoiceQuestion[] | undefined {
  if (tokens.count === 0 || text(0).choice === undefined) return undefined;
  const questions: ChoiceQuestion[] = [];
  for (let row = 0; row < tokens.count; ) {
    const count = text(row).choice?.of ?? 1;
    const choices = Array.from({ length: count }, (_, at) => text(row + at).choice).filter(
      (choice) => choice !== undefined,
    );
    const answer = Math.max(
      0,
      choices.findIndex(({ right }) => right),
    );
    questions.push({ first: row, text: text(row), answer, choices });
    row += count;
  }
  return questions;
}

/** Of each choice, in nats. */
export const likelihoodsOf = (
  { first, choices }: ChoiceQuestion,
  losses: readonly RowLoss[] = [],
): readonly number[] => choices.map((_, at) => -(losses[first + at]?.sum ?? Number.NaN));

/**
 * What lm-evaluation-harness calls `acc` and `acc_norm`: the choice with the largest log-likelihood, and with the largest
 * one per character; the first of several.
 */
export function measuredQuestions(
  questions: readonly ChoiceQuestion[],
  losses: readonly RowLoss[] = [],
): readonly MeasuredRow[] {
  return questions.map((question) => {
    const { first, text, answer, choices } = question;
    const likelihoods = likelihoodsOf(question, losses);
    const predicted = largestAt(likelihoods);
    const byCharacter = likelihoods.map((likelihood, at) => likelihood / (choices[at]?.characters ?? 1));
    return {
      lossSum: losses[first + answer]?.sum ?? 0,
      tokens: losses[first + answer]?.tokens ?? 0,
      unigramSum: 0,
      reference: text.answer,
      referenceTokens: 0,
      answer: choices[predicted]?.text ?? '',
      classes: { truth: answer, predicted, normalised: largestAt(byCharacter) },
    };
  });
}

const largestAt = (values: readonly number[]): number => values.indexOf(Math.max(...values));
