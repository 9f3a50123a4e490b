import { sigmoid } from './pairwise.js';
import { ratio, rewardOf } from './rewards.js';
import type { AnswerSums, KtoObjective } from './types.js';

/** Loss of one answer, how it changes with the answer's sum, and its reward. */
export interface LabelledLoss {
  readonly loss: number;
  readonly slope: number;
  readonly reward: number;
}

/**
 * Kahneman–Tversky optimisation (arXiv 2402.01306). `kl` is {@link divergence} of the batch: a constant to the gradient.
 */
export function labelledLoss(
  objective: KtoObjective,
  answer: AnswerSums,
  isDesirable: boolean,
  kl: number,
): LabelledLoss {
  const { beta, desirable, undesirable } = objective;
  const sign = isDesirable ? 1 : -1;
  const weight = isDesirable ? desirable : undesirable;
  const value = sigmoid(sign * beta * (ratio(answer) - kl));
  return {
    loss: weight * (1 - value),
    slope: -weight * sign * beta * value * (1 - value),
    reward: rewardOf(objective, answer),
  };
}

/** How far the policy is from the reference, by answers to other prompts; never below 0. */
export function divergence(mismatched: readonly Pick<AnswerSums, 'sum' | 'reference'>[]): number {
  if (mismatched.length === 0) return 0;
  const total = mismatched.reduce((all, { sum, reference }) => all + (sum - reference), 0);
  return Math.max(0, total / mismatched.length);
}
