/** Pairs of answers, whose rows follow each other: which of the two a model rewards more. */
import type { MeasuredRow, Rewards } from './metrics/types.js';
import { supervisedTokens } from './metrics/unigrams.js';
import type { HeldOut, RowText } from './observe.js';

export interface AnswerPair {
  /** Row of the chosen answer; the rejected one is in the next. */
  readonly first: number;
  readonly text: RowText;
  readonly chosen: string;
  readonly rejected: string;
  /** Of both answers. */
  readonly tokens: number;
}

/** `undefined` for rows that are no pairs. */
export function pairsOf({ tokens, text, preferences }: HeldOut): readonly AnswerPair[] | undefined {
  if (preferences !== 'pairs') return undefined;
  const answer = (row: number): string => text(row).preference?.answer ?? '';
  const counted = (row: number): number => [...supervisedTokens(tokens.read(row).labels)].length;
  return Array.from({ length: tokens.count / 2 }, (_, pair) => {
    const first = 2 * pair;
    return {
      first,
      text: text(first),
      chosen: answer(first),
      rejected: answer(first + 1),
      tokens: counted(first) + counted(first + 1),
    };
  });
}

export const rewardsOf = ({ first }: AnswerPair, rewards: readonly number[] = []): Rewards => [
  rewards[first] ?? Number.NaN,
  rewards[first + 1] ?? Number.NaN,
];

/** Its answer to a pair is the one that it rewards more, and of two that it rewards alike the rejected one. */
export const measuredPairs = (
  pairs: readonly AnswerPair[],
  rewards: readonly number[] | undefined,
): readonly MeasuredRow[] =>
  pairs.map((pair) => {
    const [chosen, rejected] = rewardsOf(pair, rewards);
    return {
      lossSum: 0,
      tokens: pair.tokens,
      unigramSum: 0,
      reference: pair.chosen,
      referenceTokens: 0,
      answer: chosen > rejected ? pair.chosen : pair.rejected,
      rewards: [chosen, rejected],
    };
  });

/** Of one model in a report. */
export interface RewardReport {
  /** What its rewards are. */
  readonly reward: string;
  /** Means over the pairs. */
  readonly chosen: number;
  readonly rejected: number;
}

/** `reward`: its formula, for people; means over all pairs. */
export function rewardReport(reward: string, rows: readonly MeasuredRow[]): RewardReport {
  const mean = (side: 0 | 1): number =>
    rows.reduce((sum, { rewards }) => sum + (rewards?.[side] ?? Number.NaN), 0) / rows.length;
  return { reward, chosen: mean(0), rejected: mean(1) };
}
