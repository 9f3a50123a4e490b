/** What is learned from: which of two answers is better, or whether an answer is good. */

export interface DpoObjective {
  readonly kind: 'dpo';
  /** How strongly the policy is held to the reference. */
  readonly beta: number;
  readonly loss: 'sigmoid' | 'ipo' | 'hinge';
  /** Share of the pairs whose order is taken to be wrong (conservative DPO); 0 to 0.5, `sigmoid` alone. */
  readonly labelSmoothing: number;
  /** Weight of the cross entropy of the chosen answers. */
  readonly sft: number;
}

export interface OrpoObjective {
  readonly kind: 'orpo';
  readonly beta: number;
}

export interface SimpoObjective {
  readonly kind: 'simpo';
  readonly beta: number;
  /** Margin by which a chosen answer is to be better. */
  readonly gamma: number;
}

export interface KtoObjective {
  readonly kind: 'kto';
  readonly beta: number;
  /** Weights of good and of bad answers. */
  readonly desirable: number;
  readonly undesirable: number;
}

interface RewardObjective {
  readonly kind: 'reward';
}

export type PairObjective = DpoObjective | OrpoObjective | SimpoObjective | RewardObjective;
export type PreferenceObjective = PairObjective | KtoObjective;

/** What an objective reads of an answer. */
export interface AnswerSums {
  /** Sum of the log-probabilities of its tokens, in nats; under `reward`, the score of the text. */
  readonly sum: number;
  readonly tokens: number;
  /** The same sum under the reference; 0 where the objective has none. */
  readonly reference: number;
}

/** Loss of one pair, and how it changes with the sums of its answers. */
export interface PairLoss {
  readonly loss: number;
  /** ∂loss ÷ ∂sum of the chosen and of the rejected answer. */
  readonly slopes: readonly [chosen: number, rejected: number];
  readonly rewards: readonly [chosen: number, rejected: number];
}
