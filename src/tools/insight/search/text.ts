/** A search for a terminal: its trials, and what mattered. */
import { numberText } from '../../../pipeline/planner/quantities.js';
import { columns } from '../../../pipeline/planner/render/columns.js';
import { FEWEST } from './importance.js';
import { type Decided, END_TEXTS, ranked, trialText, verdict, whatMattered } from './table.js';

/** Columns of a bar that is all of the variance. */
const BAR = 20;
/** Trials that are shown; the report has them all. */
const MOST = 10;

export function searchLines(
  search: Decided,
  dim: (text: string) => string,
  width?: number,
): readonly string[] {
  const rows = ranked(search);
  const hasLosses = search.trials.some(({ losses }) => losses.length > 0);
  const table = columns(
    [
      [search.search, search.by, ...(hasLosses ? ['loss at rungs'] : []), ''].map((title) => dim(title)),
      ...rows
        .slice(0, MOST)
        .map(({ at, value, losses, end, trial }) => [
          trialText(at),
          value === null ? '' : numberText(value),
          ...(hasLosses ? [losses.map(numberText).join(', ')] : []),
          trial === search.winner ? 'won' : END_TEXTS[end],
        ]),
    ],
    { right: [1], width },
  );
  const left = rows.length - MOST;
  return [
    ...table,
    ...(left > 0 ? [dim(`and ${left} more in the report`)] : []),
    '',
    ...mattered(search, dim, width),
  ];
}

function mattered(search: Decided, dim: (text: string) => string, width?: number): readonly string[] {
  const found = whatMattered(search);
  if (found.importance.length === 0)
    return [dim(`What mattered cannot be told from ${found.trials} trials; ${FEWEST} are needed at least.`)];
  return [
    dim(`What went with the ${found.outcome} of ${found.trials} trials`),
    ...columns(
      found.importance.map((one) => [
        one.matrix,
        '█'.repeat(Math.max(1, Math.round(one.share * BAR))),
        `${Math.round(one.share * 100)}%`,
        verdict(one, found),
      ]),
      { right: [2], width },
    ),
  ];
}
