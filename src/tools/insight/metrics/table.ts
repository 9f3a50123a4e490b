/** Runs and their metrics as one table. */

import { noSuchMetric } from '../../../language/diagnostics/catalogue/insight.js';
import { UserError } from '../../../language/diagnostics/types.js';
import { comparisonOf } from '../../../language/schemas/comparisons.js';
import { duration, numberText } from '../../../pipeline/planner/quantities.js';
import type { Palette } from '../../../pipeline/planner/render/columns.js';
import { columns } from '../../../pipeline/planner/render/columns.js';
import { widthOf } from '../../../pipeline/planner/render/wrapped.js';
import { droppedRows, metricText } from '../metric-text.js';
import type { Run } from '../runs/index.js';
import { printable, utcTime } from '../safe-text.js';

interface MetricsTable {
  /** `quality.rouge_l`, in the order of the stages. */
  readonly metrics: readonly string[];
  /** Newest first. */
  readonly rows: readonly { readonly run: Run; readonly values: Readonly<Record<string, number>> }[];
}

/** `only` names metrics by themselves (`rouge_l`) or with their stage (`quality.rouge_l`); left out, all. */
export function metricsTable(runs: readonly Run[], only: readonly string[] = []): MetricsTable {
  const rows = runs.map((run) => ({ run, values: valuesOf(run) }));
  const all = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
  for (const name of only)
    if (!all.some((metric) => isCalled(metric, name))) throw new UserError(noSuchMetric(name, known(all)));
  return {
    metrics: all.filter((metric) =>
      only.length === 0 ? !isGain(metric) : only.some((name) => isCalled(metric, name)),
    ),
    rows,
  };
}

/** The difference of two columns, which is shown where it is asked for. */
const isGain = (metric: string): boolean => {
  const comparison = comparisonOf(metric.slice(metric.indexOf('.') + 1));
  return comparison !== undefined && comparison !== 'baseline';
};

const valuesOf = ({ stages }: Run): Readonly<Record<string, number>> =>
  Object.fromEntries(
    stages.flatMap(({ name, metrics }) =>
      Object.entries(metrics).map(([metric, value]) => [`${name}.${metric}`, value] as const),
    ),
  );

/** Names of stages may hold dots, and so may those of metrics: a metric is called by any of its ends. */
export const isCalled = (metric: string, name: string): boolean =>
  metric === name || metric.endsWith(`.${name}`);

/** Every name that a metric can be called by. */
export const known = (metrics: readonly string[]): readonly string[] => [
  ...new Set([...metrics.map((metric) => metric.slice(metric.indexOf('.') + 1)), ...metrics]),
];

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
    ...lines([...lead, ...part], width, palette),
  ]);
}

function lines(table: readonly Column[], width: number, { dim }: Palette): readonly string[] {
  const rows = (table[0]?.cells ?? []).map((_, index) => table.map(({ cells }) => cells[index] ?? ''));
  const right = table.flatMap((column, index) => (column.right ? [index] : []));
  return columns([table.map(({ title }) => dim(title)), ...rows], { right, width });
}

/** Runs below each other where that fits, else next to each other: there are more metrics than runs that people compare. */
export function metricsText(table: MetricsTable, width: number, palette: Palette): readonly string[] {
  const narrow = asRows(table).map(safe);
  const room = narrow.reduce((sum, column) => sum + columnWidth(column) + 2, -2);
  return room <= width
    ? lines(narrow, width, palette)
    : blocks(asColumns(table).map(safe), 1, width, palette);
}

type Row = MetricsTable['rows'][number];

const HEAD: Readonly<Record<string, (row: Row) => string>> = {
  pipeline: ({ run }) => run.pipeline,
  started: ({ run }) => (run.started === null ? NONE : utcTime(run.started)),
  status: ({ run }) => run.status,
  time: ({ run }) => (run.seconds === null ? NONE : duration(run.seconds)),
};

const NONE = '–';

/** Of rows that were dropped, how many they are, next to their share. */
function cellOf({ run, values }: Row, metric: string): string {
  if (values[metric] === undefined) return NONE;
  const text = metricText(metric, values[metric]);
  const stage = run.stages.find(({ name }) => metric === `${name}.dropped`);
  return stage?.dropped == null ? text : `${droppedRows(stage.dropped)} (${text})`;
}

const asRows = ({ metrics, rows }: MetricsTable): readonly Column[] => [
  { title: 'run', right: false, cells: rows.map(({ run }) => run.id) },
  ...Object.entries(HEAD).map(([title, of]) => ({ title, right: title === 'time', cells: rows.map(of) })),
  ...metrics.map((metric) => ({ title: metric, right: true, cells: rows.map((row) => cellOf(row, metric)) })),
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

/** RFC 4180: commas, quotes doubled, a line end after every record. */
export const csv = (rows: readonly (readonly unknown[])[]): string =>
  rows.map((row) => row.map(field).join(',')).join('\n');

function field(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
