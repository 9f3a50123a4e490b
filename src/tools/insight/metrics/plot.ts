/** What `--plot` can draw: what training measures at every step, and metrics from run to run. */
import { noSuchMetric } from '../../../language/diagnostics/catalogue/insight.js';
import { UserError } from '../../../language/diagnostics/types.js';
import { numberText } from '../../../pipeline/planner/quantities.js';
import type { Palette } from '../../../pipeline/planner/render/columns.js';
import type { Run, RunStage } from '../runs/index.js';
import { printable } from '../safe-text.js';
import { drawable, type Point, type Range, rangeOf, type Series } from '../series.js';
import { isCalled, known, metricsTable } from './table.js';

const point = (x: number, y: number | null): readonly Point[] => (y === null ? [] : [{ x, y }]);

/** By step; named as in the view `steps`. */
export const CURVES = {
  loss: ({ steps }: Curves) => steps.flatMap(({ step, loss }) => point(step, loss)),
  valid_loss: ({ validations }: Curves) => validations.flatMap(({ step, loss }) => point(step, loss)),
  learning_rate: ({ steps }: Curves) => steps.flatMap(({ step, learningRate }) => point(step, learningRate)),
  grad_norm: ({ steps }: Curves) => steps.flatMap(({ step, gradNorm }) => point(step, gradNorm)),
  tokens_per_second: ({ steps }: Curves) =>
    steps.flatMap(({ step, tokensPerSecond }) => point(step, tokensPerSecond)),
  tokens_per_second_each: ({ steps }: Curves) =>
    steps.flatMap(({ step, tokensPerSecond, ranks }) =>
      ranks === undefined || ranks.count === 1 || tokensPerSecond === null
        ? []
        : point(step, tokensPerSecond / ranks.count),
    ),
} as const satisfies Readonly<Record<string, (stage: Curves) => readonly Point[]>>;

/** `valid_rouge_l`: what validations measured of answers. */
export const validCurve =
  (metric: string) =>
  ({ validations }: Pick<RunStage, 'validations'>): readonly Point[] =>
    validations.flatMap(({ step, metrics }) => point(step, metrics[metric] ?? null));

const VALID = /(?:^|\.)valid_(\w+)$/;

type Curves = Pick<RunStage, 'steps' | 'validations'>;

interface PlotData {
  readonly series: readonly Series[];
  readonly xName: string;
}

/** `name`: a curve or a metric, with its stage before it where only that one is meant. Throws a `UserError`. */
export function seriesOf(runs: readonly Run[], name: string): PlotData {
  const curves = curvesOf(runs, name);
  if (curves.length > 0) return { series: curves, xName: 'step' };
  const table = metricsTable(runs);
  const metrics = table.metrics.filter((metric) => isCalled(metric, name));
  if (metrics.length === 0)
    throw new UserError(noSuchMetric(name, [...Object.keys(CURVES), ...known(table.metrics)]));
  const inTime = table.rows.toReversed();
  const series = metrics.map((metric) => ({
    name: metric,
    points: inTime.flatMap(({ values }, index) => point(index + 1, values[metric] ?? null)),
  }));
  return { series, xName: `run, ${inTime[0]?.run.id} to ${inTime.at(-1)?.run.id}` };
}

/** A stage that was cached draws the curve of the run that trained it; that run alone is shown if it is among these. */
function curvesOf(runs: readonly Run[], name: string): readonly Series[] {
  const drawn = new Set<string>();
  return runs
    .toReversed()
    .flatMap((run) => run.stages.map((stage) => ({ run, stage })))
    .flatMap(({ run, stage }): readonly Series[] => {
      const curve = Object.entries(CURVES).find(
        ([key]) => name === key || name === `${stage.name}.${key}`,
      )?.[1];
      const measured = VALID.exec(name)?.[1];
      const isOfStage = name === `valid_${measured}` || name === `${stage.name}.valid_${measured}`;
      const answers = measured !== undefined && isOfStage ? validCurve(measured) : undefined;
      const points = (curve ?? answers)?.(stage) ?? [];
      const isSeen = stage.key !== null && drawn.has(stage.key);
      if (points.length === 0 || isSeen) return [];
      if (stage.key !== null && stage.status !== 'unfinished') drawn.add(stage.key);
      return [{ name: `${run.id} ${stage.name}`, points }];
    });
}

const SIGNS = ['●', '○', '▲', '△', '■', '□', '◆', '◇'] as const;
const PAINTS = ['cyan', 'yellow', 'green', 'red'] as const;
const HEIGHT = 14;

/**
 * For a terminal: told apart by their signs, and by colours where there are any. `xName` is under the axis. Points
 * whose value is not a number are left out.
 */
export function plot(
  series: readonly Series[],
  xName: string,
  width: number,
  palette: Palette,
): readonly string[] {
  const drawn = drawable(series);
  const all = drawn.flatMap(({ points }) => points);
  if (all.length === 0) return [];
  const x = rangeOf(all.map((point) => point.x));
  const y = rangeOf(all.map((point) => point.y));
  const labels = [numberText(y.high), numberText(y.low)];
  const edge = Math.max(...labels.map((label) => label.length));
  const across = Math.max(16, width - edge - 3);
  const grid = Array.from({ length: HEIGHT }, () => new Array<string>(across).fill(' '));
  drawn.forEach(({ points }, index) => {
    for (const [column, value] of columnsOf(points, x, across)) {
      const row = Math.round((1 - (value - y.low) / (y.high - y.low)) * (HEIGHT - 1));
      const line = grid[row];
      if (line !== undefined) line[column] = paint(signOf(index), index, palette);
    }
  });
  const ends = [numberText(x.low), numberText(x.high)] as const;
  const middle = ` ${xName} `.padStart(
    Math.floor((across - ends[0].length - ends[1].length + xName.length) / 2),
  );
  return [
    ...grid.map((line, row) => {
      const label = row === 0 ? labels[0] : row === HEIGHT - 1 ? labels[1] : '';
      return `${(label ?? '').padStart(edge)} ${palette.dim(label === '' ? '│' : '┤')}${line.join('')}`.trimEnd();
    }),
    `${' '.repeat(edge)} ${palette.dim(`└${'─'.repeat(across)}`)}`,
    `${' '.repeat(edge + 2)}${ends[0]}${palette.dim(middle.padEnd(across - ends[0].length - ends[1].length))}${ends[1]}`,
    ...drawn.map(({ name, points }, index) => {
      const [first, last] = [points[0], points.at(-1)];
      const from = points.length > 1 ? `${numberText(first?.y ?? 0)} → ` : '';
      return `  ${paint(signOf(index), index, palette)} ${printable(name)}  ${palette.dim(`${from}${numberText(last?.y ?? 0)}`)}`;
    }),
  ];
}

/** The value in each column: the mean of the points that fall there, and a straight line between them. */
function columnsOf(
  points: Series['points'],
  x: Range,
  across: number,
): readonly (readonly [column: number, value: number])[] {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const point of points) {
    const column = Math.round(((point.x - x.low) / (x.high - x.low)) * (across - 1));
    const cell = sums.get(column) ?? { sum: 0, count: 0 };
    sums.set(column, { sum: cell.sum + point.y, count: cell.count + 1 });
  }
  const known = [...sums]
    .map(([column, { sum, count }]) => [column, sum / count] as const)
    .sort(([a], [b]) => a - b);
  return known.flatMap(([column, value], index) => {
    const [next, nextValue] = known[index + 1] ?? [column + 1, value];
    return Array.from(
      { length: next - column },
      (_, step) => [column + step, value + ((nextValue - value) * step) / (next - column)] as const,
    );
  });
}

const signOf = (index: number): string => SIGNS[index % SIGNS.length] ?? '●';
const paint = (text: string, index: number, palette: Palette): string =>
  palette[PAINTS[index % PAINTS.length] ?? 'cyan'](text);
