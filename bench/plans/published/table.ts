/** Published peaks of GPU memory next to what is predicted for them, and to what public formulas say. */
import type { BenchmarkOptions } from '../../benchmark.js';
import { FORMULAS, type FormulaName } from './formulas.js';
import { type PublishedRow, publishedRows, type View } from './rows.js';
import { GROUPS, quantile, type Score, scoreOf, summaryOf, VERDICTS, verdictOf } from './scores.js';
import { TRAINERS, type TrainerName } from './trainers.js';

const COLUMNS = ['rows', 'n', 'median', 'p90', 'inside', ...Object.keys(FORMULAS)];
const DETAILS = ['row', 'published', 'predicted', 'interval', 'fullest', 'off', 'inside'];

const TITLES: Readonly<Record<View, string>> = {
  before: 'Rows that were in view when the tables were written',
  after: 'Rows that came after',
  last: 'Rows that came last',
};

/** `--only TEXT`: the rows of a source, or of a trainer, one by one. */
export async function* published({ only }: BenchmarkOptions): AsyncGenerator<string> {
  const rows = publishedRows();
  if (only !== undefined) yield* details(rows.filter((row) => isNamed(row, only)));
  const scores = scored(rows);
  for (const [view, title] of Object.entries(TITLES)) {
    yield* [`## ${title}`, ''];
    yield* summaries(scores.filter(({ row }) => row.view === view));
    yield '';
  }
  yield* verdicts(rows);
}

function* summaries(scores: readonly Score[]): Generator<string> {
  yield* header(COLUMNS);
  for (const [name, has] of Object.entries(GROUPS)) {
    const some = scores.filter(({ row }) => has(row));
    if (some.length > 0) yield line(name, some);
  }
  for (const trainer of Object.keys(TRAINERS) as TrainerName[]) {
    const some = scores.filter(({ row }) => row.run.trainer === trainer);
    if (some.length > 0) yield line(trainer, some);
  }
  yield line('all', scores);
}

const scored = (rows: readonly PublishedRow[]): readonly Score[] => rows.flatMap((row) => scoreOf(row) ?? []);

const isNamed = ({ id, source, run }: PublishedRow, text: string): boolean =>
  [id, source, run.trainer].some((name) => name.includes(text));

const header = (columns: readonly string[]): readonly string[] => [
  `| ${columns.join(' | ')} |`,
  `|${columns.map(() => '---|').join('')}`,
];

function line(name: string, scores: readonly Score[]): string {
  const { count, median, p90, coverage } = summaryOf(scores);
  const others = (Object.keys(FORMULAS) as FormulaName[]).map((formula) => {
    const errors = scores.flatMap(({ others }) => others[formula] ?? []).map(Math.abs);
    return errors.length === 0 ? '–' : percent(quantile(errors, 0.5));
  });
  return `| ${[name, count, percent(median), percent(p90), percent(coverage), ...others].join(' | ')} |`;
}

const percent = (share: number): string => (Number.isNaN(share) ? '–' : `${(100 * share).toFixed(1)} %`);

function* details(rows: readonly PublishedRow[]): Generator<string> {
  yield* header(DETAILS);
  for (const { row, predicted, interval, peak, error, isInside } of scored(rows)) {
    const { low, high, measure } = row.peak ?? {};
    const cells = [
      row.id,
      `${low === high ? low : `${low} to ${high}`} GiB ${measure}`,
      predicted.toFixed(2),
      `${interval.low.toFixed(2)} to ${interval.high.toFixed(2)}`,
      peak.peak.phase,
      percent(error),
      isInside ? 'yes' : 'no',
    ];
    yield `| ${cells.join(' | ')} |`;
  }
  yield '';
}

/** Runs of which only is known whether they fitted. */
function* verdicts(rows: readonly PublishedRow[]): Generator<string> {
  for (const verdict of VERDICTS) {
    const some = rows.filter((row) => row.outcome && verdictOf(row, row.outcome.capacity) === verdict);
    const fitted = some.filter(({ outcome }) => outcome?.fits).length;
    yield `said to be "${verdict}": ${some.length}, of which ${fitted} fitted and ${some.length - fitted} ran out of memory`;
  }
}
