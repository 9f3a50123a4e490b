/** Which trial wins. */
import { isMetricName, metrics } from '../../../compute/evaluation/metrics/table.js';
import type { Search } from '../../../language/ir/program.js';
import type { TrialOutcome } from './record.js';

/** Losses are better where they are lower. */
export const higherIsBetter = ({ by }: Pick<Search, 'by'>): boolean =>
  isMetricName(by.port) && metrics[by.port].higherIsBetter;

/** The best of the trials that are done, of equal ones the first; `undefined` if none is. */
export function winnerOf(search: Pick<Search, 'by'>, trials: readonly TrialOutcome[]): number | undefined {
  const sign = higherIsBetter(search) ? -1 : 1;
  let best: { readonly trial: number; readonly value: number } | undefined;
  for (const [trial, { end, value }] of trials.entries())
    if (end === 'done' && value !== null && (best === undefined || sign * value < sign * best.value))
      best = { trial, value };
  return best?.trial;
}
