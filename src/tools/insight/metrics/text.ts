/** Tables of runs for a terminal. */
import { duration, numberText } from '../../../pipeline/planner/quantities.js';
import { columns, widthOf } from '../../../pipeline/planner/render/columns.js';
import type { Palette } from '../../../pipeline/planner/render/palette.js';
import { utcTime } from '../runs/time.js';
import { printable } from '../safe-text.js';
import type { MetricsTable } from './table.js';

/** Cells of a table, numbers to the right. */
interface Column {
  readonly title: string;
  readonly cells: readonly string[];
  readonly right: boolean;
}

/** A column whose signs are safe. */
const safe = ({ title, cells, right }: Column): Column => ({
  title: printable(title),
  cells: cells.map(printable),
  right,
});

const columnWidth = ({ title, cells }: Column): number => Math.max(...[title, ...cells].map(widthOf));

/** As many columns next to each other as fit; the rest below, with the first `fixed` columns again. */
function blocks(table: readonly Column[], fixed: number, width: number, palette: Palette): readonly string[] {
  const lead = table.slice(0, fixed);
  const room = (some: readonly Column[]): number =>
    some.reduce((sum, column) => sum + columnWidth(column) + 2, 0);
  const parts: Column[][] = [[]];
  for (const column of table.slice(fixed)) {
    const part = parts.at(-1) ?? [];
    if (part.length > 0 && room([...lead, ...part, column]) > width) parts.push([column]);
    else part.push(column);
  }
  return parts.flatMap((part, index) => [
    ...(index === 0 ? [] : ['']),
    ...lines([...lead, ...part], palette),
  ]);
}

function lines(table: readonly Column[], { dim }: Palette): readonly string[] {
  const rows = (table[0]?.cells ?? []).map((_, index) => table.map(({ cells }) => cells[index] ?? ''));
  const right = table.flatMap((column, index) => (column.right ? [index] : []));
  const [head = '', ...body] = columns([table.map(({ title }) => title), ...rows], { right });
  return [dim(head), ...body];
}

/** Runs below each other where that fits, else next to each other: there are more metrics than runs that people compare. */
export function metricsText(table: MetricsTable, width: number, palette: Palette): readonly string[] {
  const narrow = asRows(table).map(safe);
  const room = narrow.reduce((sum, column) => sum + columnWidth(column) + 2, -2);
  return room <= width ? lines(narrow, palette) : blocks(asColumns(table).map(safe), 1, width, palette);
}

type Row = MetricsTable['rows'][number];

const HEAD: Readonly<Record<string, (row: Row) => string>> = {
  pipeline: ({ run }) => run.pipeline,
  started: ({ run }) => (run.started === null ? NONE : utcTime(run.started)),
  status: ({ run }) => run.status,
  time: ({ run }) => (run.seconds === null ? NONE : duration(run.seconds)),
};

const NONE = '–';

const cellOf = ({ values }: Row, metric: string): string =>
  values[metric] === undefined ? NONE : numberText(values[metric]);

const asRows = ({ metrics, rows }: MetricsTable): readonly Column[] => [
  { title: 'run', right: false, cells: rows.map(({ run }) => run.id) },
  ...Object.entries(HEAD).map(([title, of]) => ({ title, right: title === 'time', cells: rows.map(of) })),
  ...metrics.map((metric) => ({
    title: metric,
    right: true,
    cells: rows.map((row) => cellOf(row, metric)),
  })),
];

const asColumns = ({ metrics, rows }: MetricsTable): readonly Column[] => [
  { title: 'run', right: false, cells: [...Object.keys(HEAD), ...metrics] },
  ...rows.map((row) => ({
    title: row.run.id,
    right: true,
    cells: [...Object.values(HEAD).map((of) => of(row)), ...metrics.map((metric) => cellOf(row, metric))],
  })),
];

/** The result of a query. */
export function tableText(
  titles: readonly string[],
  rows: readonly (readonly unknown[])[],
  width: number,
  palette: Palette,
): readonly string[] {
  return blocks(
    titles.map((title, index) =>
      safe({
        title,
        right: rows.every((row) => row[index] === null || typeof row[index] === 'number'),
        cells: rows.map((row) => shown(row[index])),
      }),
    ),
    Math.min(1, titles.length - 1),
    width,
    palette,
  );
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return NONE;
  if (typeof value === 'number') return numberText(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
