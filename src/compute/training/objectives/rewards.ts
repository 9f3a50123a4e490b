/** What an objective calls the reward of an answer: what its loss compares. */
import type { AnswerSums, PreferenceObjective } from './types.js';

type Reward<O> = (objective: O, answer: AnswerSums) => number;

/** How much likelier an answer is than under the reference, in nats. */
export const ratio = ({ sum, reference }: AnswerSums): number => sum - reference;

export const counted = ({ tokens }: AnswerSums): number => Math.max(1, tokens);

/** Mean log-probability of a token. */
export const mean = (answer: AnswerSums): number => answer.sum / counted(answer);

const ofRatio: Reward<{ readonly beta: number }> = ({ beta }, answer) => beta * ratio(answer);
const ofMean: Reward<{ readonly beta: number }> = ({ beta }, answer) => beta * mean(answer);

const REWARDS: {
  readonly [K in PreferenceObjective['kind']]: Reward<Extract<PreferenceObjective, { kind: K }>>;
} = { dpo: ofRatio, kto: ofRatio, orpo: ofMean, simpo: ofMean, reward: (_, { sum }) => sum };

export const rewardOf = (objective: PreferenceObjective, answer: AnswerSums): number =>
  (REWARDS[objective.kind] as Reward<PreferenceObjective>)(objective, answer);
