/** How long answers are and what is said of them: of those that a release has given, and of those of its evaluation. */
import type { ReleaseAnswers } from '../../../compute/packaging/manifest.js';
import { estimate } from '../comparison/estimates.js';
import type { Measure, ReleaseTally } from '../comparison/release-tally.js';

export interface AnswerFigures {
  /** Tokens per answer. */
  readonly tokens: { readonly mean: number; readonly median: number; readonly p95: number } | null;
  /** Means per answer. */
  readonly repetition: number | null;
  readonly refusals: number | null;
}

export const servedFigures = (tally: ReleaseTally | undefined): AnswerFigures => ({
  tokens: lengths(tally),
  repetition: meanOf(tally, 'repetition'),
  refusals: meanOf(tally, 'refusals'),
});

export const evaluatedFigures = (answers: ReleaseAnswers | undefined): AnswerFigures => ({
  tokens: answers?.tokens ?? null,
  repetition: answers?.repetition ?? null,
  refusals: answers?.refusals ?? null,
});

function lengths(tally: ReleaseTally | undefined): AnswerFigures['tokens'] {
  const mean = meanOf(tally, 'answerTokens');
  if (tally === undefined || mean === null) return null;
  const at = (share: number): number => Math.round(tally.lengths.quantile(share) ?? 0);
  return { mean, median: at(0.5), p95: at(0.95) };
}

function meanOf(tally: ReleaseTally | undefined, measure: Measure): number | null {
  if (tally === undefined) return null;
  const { mean, count } = estimate(tally.groups(measure));
  return count === 0 ? null : mean;
}
