import { valueText } from '../../../language/check/value-text.js';
import { counted } from '../../../language/diagnostics/make.js';
import type { PlannedSearch } from '../plan-json.js';
import { numberText } from '../quantities.js';
import type { Palette } from './columns.js';
import { wrapped } from './wrapped.js';

/** What a search tries and how far, or who has won it. */
export function searchLines(
  search: PlannedSearch | undefined,
  { bold }: Pick<Palette, 'bold'>,
  width = Number.POSITIVE_INFINITY,
): readonly string[] {
  return search === undefined
    ? []
    : wrapped(`${bold(`Search ${search.name}`)}: ${wonText(search) ?? triedText(search)}`, width);
}

function wonText({ winner, outcomes = [], trials, by }: PlannedSearch): string | undefined {
  const at = winner === undefined ? undefined : trials[winner];
  if (winner === undefined || at === undefined) return undefined;
  const values = Object.entries(at).map(([matrix, value]) => `${matrix}=${valueText(value)}`);
  const left = trials.length - outcomes.filter(({ end }) => end === 'done').length;
  const others = left === 0 ? '' : `; ${counted(left, 'trial')} not shown did not get to the end`;
  return `won by ${values.join(', ')} of ${counted(trials.length, 'trial')}, with ${by} ${numberText(outcomes[winner]?.value ?? 0)}${others}`;
}

/** `20 trials by halving: 20 train up to 11%, 6 up to 33%, 2 to the end; the best quality.rouge_l wins` */
function triedText({ method, trials, rounds, by, higherIsBetter }: PlannedSearch): string {
  const how = rounds.map(({ trials: count, share }, index) =>
    share === 1
      ? `${count} to the end`
      : `${count}${index === 0 ? ' train' : ''} up to ${Math.round(share * 100)}% of the steps`,
  );
  const steps = how.length === 0 ? '' : `: ${how.join(', ')}`;
  const times = how.length === 0 ? '' : ', and times of trials are what one takes on average';
  return `${counted(trials.length, 'trial')} by ${method}${steps}; the ${higherIsBetter ? 'highest' : 'lowest'} ${by} wins${times}`;
}
