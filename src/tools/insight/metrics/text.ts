/** Tables of runs for a terminal. */
import { duration, numberText } from '../../../pipeline/planner/quantities.js';
import type { Palette } from '../../../pipeline/planner/render/palette.js';
import { printable } from '../printable.js';
import { utcTime } from '../runs/time.js';
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

const widthOf = ({ title, cells }: Column): number =>
  Math.max(title.length, ...cells.map((cell) => cell.length));

/** As many columns side by side as fit; the rest below, with the first `fixed` columns again. */
function blocks(
  columns: readonly Column[],
  fixed: number,
  width: number,
  palette: Palette,
): readonly string[] {
  const lead = columns.slice(0, fixed);
  const room = (some: readonly Column[]): number =>
    some.reduce((sum, column) => sum + widthOf(column) + 2, 0);
  const parts: Column[][] = [[]];
  for (const column of columns.slice(fixed)) {
    const part = parts.at(-1) ?? [];
    if (part.length > 0 && room([...lead, ...part, column]) > width) parts.push([column]);
    else part.push(column);
  }
  return parts.flatMap((part, index) => [
    ...(index === 0 ? [] : ['']),
    ...lines([...lead, ...part], palette),
  ]);
}

function lines(columns: readonly Column[], { dim }: Palette): readonly string[] {
  const line = (of: (column: Column) => string): string =>
    columns
      .map((column) => {
        const text = of(column);
        return column.right ? text.padStart(widthOf(column)) : text.padEnd(widthOf(column));
      })
      .join('  ')
      .trimEnd();
  const rows = columns[0]?.cells.length ?? 0;
  return [
    dim(line(({ title }) => title)),
    ...Array.from({ length: rows }, (_, index) => line(({ cells }) => cells[index] ?? '')),
  ];
}

/** Runs below each other where that fits, else side by side: there are more metrics than runs that people compare. */
export function metricsText(table: MetricsTable, width: number, palette: Palette): readonly string[] {
  const columns = asRows(table).map(safe);
  const room = columns.reduce((sum, column) => sum + widthOf(column) + 2, -2);
  return room <= width ? lines(columns, palette) : blocks(asColumns(table).map(safe), 1, width, palette);
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
  columns: readonly string[],
  rows: readonly (readonly unknown[])[],
  width: number,
  palette: Palette,
): readonly string[] {
  return blocks(
    columns.map((title, index) =>
      safe({
        title,
        right: rows.every((row) => row[index] === null || typeof row[index] === 'number'),
        cells: rows.map((row) => shown(row[index])),
      }),
    ),
    Math.min(1, columns.length - 1),
    width,
    palette,
  );
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return NONE;
  if (typeof value === 'number') return numberText(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
