/** The trials of a search, best first, and what of them is compared. */
import { valueText } from '../../../language/check/value-text.js';
import type { RunEvent } from '../../../language/ir/events.js';
import type { Value } from '../../../language/ir/program.js';
import { BELIEVED, type Importance, importanceOf, type TrialPoint } from './importance.js';

export type Decided = Extract<RunEvent, { type: 'search.decided' }>;
type TrialRow = Decided['trials'][number];

/** How a trial came out, in words. */
export const END_TEXTS: Readonly<Record<TrialRow['end'], string>> = {
  done: 'done',
  ended: 'ended early',
  failed: 'failed',
  gate_closed: 'requirement failed',
};

/** `rate=2e-4, rank=8` */
export const trialText = (at: Readonly<Record<string, unknown>>): string =>
  Object.entries(at)
    .map(([matrix, value]) => `${matrix}=${valueText(value as Value)}`)
    .join(', ');

interface RankedTrial extends TrialRow {
  /** From 0, in the order in which they were drawn. */
  readonly trial: number;
}

/** The winner, then those that are done, by their value, and then those that got less far. */
export function ranked({ trials, winner, higherIsBetter }: Decided): readonly RankedTrial[] {
  const sign = higherIsBetter ? -1 : 1;
  const worst = Number.POSITIVE_INFINITY;
  const scores = (row: RankedTrial): readonly number[] => [
    row.trial === winner ? 0 : 1,
    row.end === 'done' ? 0 : row.end === 'gate_closed' ? 1 : 2,
    row.value === null ? worst : sign * row.value,
    -row.losses.length,
    row.losses.at(-1) ?? worst,
    row.trial,
  ];
  return trials
    .map((row, trial) => ({ ...row, trial }))
    .sort((a, b) => {
      const [left, right] = [scores(a), scores(b)];
      const at = left.findIndex((score, index) => score !== right[index]);
      return at < 0 ? 0 : (left[at] ?? 0) < (right[at] ?? 0) ? -1 : 1;
    });
}

interface WhatMattered {
  /** `quality.rouge_l`, or where most trials ended early, their validation loss at the first rung. */
  readonly outcome: string;
  readonly higherIsBetter: boolean;
  readonly trials: number;
  readonly importance: readonly Importance[];
}

/** All trials have the first rung in common; without rungs, what they were compared by. */
export function whatMattered({ by, trials, higherIsBetter }: Decided): WhatMattered {
  const isEarly = trials.some(({ losses }) => losses.length > 0);
  const points = trials.flatMap(({ at, value, losses }): readonly TrialPoint[] => {
    const outcome = isEarly ? losses[0] : (value ?? undefined);
    return outcome === undefined ? [] : [{ at, outcome }];
  });
  return {
    outcome: isEarly ? 'validation loss at the first rung' : by,
    higherIsBetter: !isEarly && higherIsBetter,
    trials: points.length,
    importance: importanceOf(points),
  };
}

/** What a share means, without more certainty than the trials give. */
export const verdict = ({ chance, rises }: Importance, { higherIsBetter }: WhatMattered): string => {
  if (chance >= BELIEVED) return 'may be chance';
  if (rises === undefined) return 'mattered';
  return rises === higherIsBetter ? 'more was better' : 'less was better';
};
