/** Rows that belong together: the choices of a question, the answers of a preference. They are scored, and none is answered. */
import type { MeasuredRow } from '../../../compute/evaluation/metrics/types.js';
import { measuredQuestions, questionsOf } from '../../../compute/evaluation/multiple-choice.js';
import type { HeldOut, Observation, RowText } from '../../../compute/evaluation/observe.js';
import { measuredPairs, pairsOf } from '../../../compute/evaluation/preference-pairs.js';
import { choiceLines, pairLines } from './held-out.js';

interface RowGroups {
  readonly kind: 'choices' | 'preferences';
  /** Of each group. */
  readonly texts: readonly RowText[];
  /** What a model makes of each group. */
  measured(seen: Observation): readonly MeasuredRow[];
  /** `answers.jsonl`. */
  lines(own: Observation, baseline: Observation | undefined): Iterable<string>;
}

/** `undefined` for rows that are measured one by one. */
export function groupsOf(heldOut: HeldOut): RowGroups | undefined {
  const questions = questionsOf(heldOut);
  if (questions !== undefined)
    return {
      kind: 'choices',
      texts: questions.map(({ text }) => text),
      measured: ({ losses }) => measuredQuestions(questions, losses),
      lines: (own, baseline) => choiceLines(questions, own, baseline),
    };
  const pairs = pairsOf(heldOut);
  return (
    pairs && {
      kind: 'preferences',
      texts: pairs.map(({ text }) => text),
      measured: ({ rewards }) => measuredPairs(pairs, rewards),
      lines: (own, baseline) => pairLines(pairs, own, baseline),
    }
  );
}
