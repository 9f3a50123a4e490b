/** What there is to say of each objective. */
import type { PreferenceObjective } from './types.js';

interface Rule<O> {
  /** Answers are compared with those of a model that does not learn. */
  readonly hasReference: boolean;
  /** Rows are pairs of answers, or answers that are good or bad. */
  readonly rows: 'pairs' | 'labelled';
  /** Of the chosen texts, the tokens whose cross entropy is learned as well. */
  readonly learns: 'answers' | 'texts';
  /** Weight of the mean of those cross entropies. */
  crossEntropy(objective: O): number;
}

const OBJECTIVES: {
  readonly [K in PreferenceObjective['kind']]: Rule<Extract<PreferenceObjective, { kind: K }>>;
} = {
  dpo: { hasReference: true, rows: 'pairs', learns: 'answers', crossEntropy: ({ sft }) => sft },
  orpo: { hasReference: false, rows: 'pairs', learns: 'texts', crossEntropy: () => 1 },
  simpo: { hasReference: false, rows: 'pairs', learns: 'answers', crossEntropy: () => 0 },
  kto: { hasReference: true, rows: 'labelled', learns: 'answers', crossEntropy: () => 0 },
  reward: { hasReference: false, rows: 'pairs', learns: 'answers', crossEntropy: () => 0 },
};

export const ruleOf = (objective: PreferenceObjective): Rule<PreferenceObjective> =>
  OBJECTIVES[objective.kind] as Rule<PreferenceObjective>;

export const hasReference = (objective: PreferenceObjective): boolean => ruleOf(objective).hasReference;

/** Whether its rows are pairs of answers. */
export const isPaired = (objective: PreferenceObjective): boolean => ruleOf(objective).rows === 'pairs';
