/** Two runs for a terminal. */
import { percentText } from '../../../language/diagnostics/make.js';
import { bytes, duration, numberText } from '../../../pipeline/planner/quantities.js';
import type { Palette } from '../../../pipeline/planner/render/columns.js';
import { columns } from '../../../pipeline/planner/render/columns.js';
import { wrapped } from '../../../pipeline/planner/render/wrapped.js';
import { reasonText } from '../../../pipeline/stages/row-report.js';
import { isShare, metricText } from '../metric-text.js';
import { printableIn, shortDigest, utcTime } from '../safe-text.js';
import { type RunDiff, type RunHead, type Sides, type StageDiff, sparkline } from './diff.js';

const NONE = '–';

export function diffText(found: RunDiff, palette: Palette, width?: number): string {
  const diff = printableIn(found);
  const sections = [
    heads(diff, palette, width),
    changes(diff, palette, width),
    stages(diff, palette, width),
    metrics(diff, palette, width),
    curves(diff, palette, width),
    remarks(diff, width),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function heads(
  { a, b, seconds, peakMemoryBytes }: RunDiff,
  { bold, dim }: Palette,
  width?: number,
): readonly string[] {
  const row = (letter: string, { id, pipeline, started, status }: RunHead, of: 'a' | 'b') => [
    bold(letter),
    id,
    pipeline,
    started === null ? NONE : utcTime(started),
    status,
    figure(seconds[of], duration),
    figure(peakMemoryBytes[of], bytes),
  ];
  return columns(
    [
      ['', 'run', 'pipeline', 'started', 'status', 'time', 'memory'].map(dim),
      row('a', a, 'a'),
      row('b', b, 'b'),
    ],
    { right: [5, 6], width },
  );
}

/** What went in: parameters, settings, files, choices. Stages that only read other outputs follow from these. */
function changes({ params, stages }: RunDiff, palette: Palette, width?: number): readonly string[] {
  const all = [
    ...params.map((change) => ({ stage: '-p', change })),
    ...stages.flatMap(({ stage, changes }) =>
      changes.filter(({ name }) => !name.startsWith('stage:')).map((change) => ({ stage, change })),
    ),
  ];
  if (all.length === 0) {
    const known = stages.every(
      ({ sameOutput, status: { a, b } }) =>
        sameOutput !== null || [a, b].some((one) => one === 'blocked' || one === 'ended'),
    );
    return [palette.dim(known ? 'no inputs differ' : 'no inputs are known to differ')];
  }
  return [
    palette.bold('Inputs'),
    ...columns(
      all.map(({ stage, change }) => [
        `  ${palette.dim(stage)}`,
        change.name.replace(/^settings\.|^file:/, ''),
        palette.red(side(change.a)),
        '→',
        palette.green(side(change.b)),
      ]),
      { width },
    ),
  ];
}

const side = (text: string | null): string => (text === null ? 'none' : shortDigest(text));

function stages({ stages }: RunDiff, { bold, dim }: Palette, width?: number): readonly string[] {
  return [
    bold('Stages'),
    ...columns(
      [
        ['  stage', 'a', 'b', 'output', 'time', 'memory'].map(dim),
        ...stages.map(({ stage, status, sameOutput, seconds, peakMemoryBytes }) => [
          `  ${stage}`,
          status.a ?? NONE,
          status.b ?? NONE,
          sameOutput === null ? NONE : sameOutput ? dim('same') : 'differs',
          both(seconds, duration),
          both(peakMemoryBytes, bytes),
        ]),
      ],
      { width },
    ),
  ];
}

function metrics({ stages }: RunDiff, palette: Palette, width?: number): readonly string[] {
  const rows = stages.filter(isFinished).flatMap(({ stage, metrics, dropped }) =>
    [
      ...Object.entries(metrics).map(([name, pair]) => ({
        name,
        pair,
        text: (value: number) => metricText(name, value),
        change: isShare(name) ? pointsText : changeText,
      })),
      ...Object.entries(dropped).map(([reason, pair]) => ({
        ...{ name: `dropped: ${reasonText(reason, 2)}`, pair, text: numberText, change: changeText },
      })),
    ]
      .filter(({ pair: { a, b } }) => a !== b)
      .map(({ name, pair, text, change }) => [
        `  ${palette.dim(stage)}`,
        name,
        figure(pair.a, text),
        '→',
        figure(pair.b, text),
        palette.dim(difference(pair, change)),
      ]),
  );
  return rows.length === 0 ? [] : [palette.bold('Metrics that differ'), ...columns(rows, { width })];
}

/** In both runs: what one of them did not reach has no metrics to compare. */
const isFinished = ({ status: { a, b } }: StageDiff): boolean =>
  [a, b].every((status) => status === 'done' || status === 'cached' || status === 'failed');

function difference(
  { a, b }: Sides<number>,
  change: (sign: string, size: number, from: number) => string,
): string {
  return a === null || b === null ? '' : change(b > a ? '+' : '−', Math.abs(b - a), a);
}

/** `+0.012 (+4.3%)` */
const changeText = (sign: string, size: number, from: number): string =>
  `${sign}${numberText(size)}${from === 0 ? '' : ` (${sign}${percentText(size / Math.abs(from))})`}`;

/** Of shares; a percentage of percentages would be taken for one of them. */
const pointsText = (sign: string, size: number): string =>
  `${sign}${numberText(Number((100 * size).toPrecision(4)))} percentage points`;

function curves({ stages }: RunDiff, palette: Palette, width?: number): readonly string[] {
  const trained = stages.filter(({ curves: { a, b } }) => a !== null || b !== null);
  return trained.flatMap((stage) => [
    palette.bold(`Loss of ${stage.stage}`),
    ...curveLines(stage, palette, width),
  ]);
}

function curveLines(
  { curves: { a, b } }: StageDiff,
  { dim, cyan }: Palette,
  width?: number,
): readonly string[] {
  const all = [...(a?.points ?? []), ...(b?.points ?? [])];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const rows = [['a', a] as const, ['b', b] as const].map(([letter, curve]) =>
    curve === null
      ? [`  ${letter}`, NONE]
      : [
          `  ${letter}`,
          cyan(sparkline(curve.points, low, high)),
          `${numberText(curve.first ?? Number.NaN)} → ${numberText(curve.last ?? Number.NaN)}`,
          curve.best === null ? '' : `best validation ${numberText(curve.best)} at step ${curve.bestStep}`,
          dim(`${curve.steps} steps`),
        ],
  );
  return columns(rows, { width });
}

function remarks({ a, b }: RunDiff, width = Number.POSITIVE_INFINITY): readonly string[] {
  return (a.id === b.id ? [a] : [a, b])
    .flatMap(({ id, status, errors }) => [
      ...errors.map((error) => `${id}: ${error}`),
      ...(status === 'unfinished' ? [`${id} has no end: it was killed or is still running`] : []),
    ])
    .flatMap((line) => wrapped(line, width));
}

const figure = (value: number | null, text: (value: number) => string): string =>
  value === null ? NONE : text(value);

const both = ({ a, b }: Sides<number>, text: (value: number) => string): string =>
  `${figure(a, text)} → ${figure(b, text)}`;
