/** Sizes for people: a change that they do not show does not count. */

import type { PlannedStage } from '../../pipeline/planner/plan-json.js';
import { bytes, count, duration, magnitude } from '../../pipeline/planner/quantities.js';
import { FIGURES, type FigureChange, type FigureName, type Figures, type StageOutline } from './types.js';

interface Figure {
  /** In a table. */
  readonly noun: string;
  readonly text: (value: number) => string;
  readonly of: (stage: PlannedStage) => number | null | undefined;
  /** How the stages' values make that of the whole; `undefined` if that says nothing. */
  readonly total?: (values: readonly number[]) => number;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const largest = (values: readonly number[]): number => Math.max(...values);

const TABLE: Readonly<Record<FigureName, Figure>> = {
  rows: { noun: 'rows', text: count, of: ({ scale }) => scale?.rows },
  tokens: { noun: 'tokens', text: count, of: ({ scale }) => scale?.tokens },
  steps: { noun: 'steps', text: count, of: ({ scale }) => scale?.steps, total: sum },
  tokensSeen: { noun: 'tokens trained on', text: count, of: ({ scale }) => scale?.tokensSeen, total: sum },
  trainableParameters: {
    noun: 'trainable parameters',
    text: count,
    of: ({ scale }) => scale?.trainableParameters,
    total: sum,
  },
  totalParameters: { noun: 'parameters in all', text: count, of: ({ scale }) => scale?.totalParameters },
  publishedFiles: { noun: 'files published', text: count, of: ({ publishes }) => publishes?.files },
  publishedBytes: { noun: 'published', text: bytes, of: ({ publishes }) => publishes?.bytes },
  peakBytes: { noun: 'peak memory', text: bytes, of: ({ peak }) => peak?.bytes, total: largest },
  seconds: { noun: 'time', text: duration, of: ({ seconds }) => seconds?.expected, total: sum },
};

export const figuresOf = (stage: PlannedStage): Figures =>
  Object.fromEntries(FIGURES.map((figure) => [figure, TABLE[figure].of(stage) ?? null]));

export const figureNoun = (figure: FigureName): string => TABLE[figure].noun;

/** Exact where it is counted. */
export const figureText = (figure: FigureName, value: number | null): string =>
  value === null ? '–' : TABLE[figure].text(value);

/** In a headline: three digits are enough. */
export const shortFigure = (figure: FigureName, value: number | null): string =>
  value !== null && SHORTENED.has(figure) ? magnitude(value) : figureText(figure, value);

const SHORTENED: ReadonlySet<FigureName> = new Set(['trainableParameters', 'totalParameters', 'tokensSeen']);

export function figureChanges(before: Figures, after: Figures): readonly FigureChange[] {
  return FIGURES.flatMap((figure): readonly FigureChange[] => {
    const change = { figure, before: before[figure] ?? null, after: after[figure] ?? null };
    return figureText(figure, change.before) === figureText(figure, change.after) ? [] : [change];
  });
}

/** Of the whole pipeline; a figure that some stage lacks is over those that have it. */
export function totalsOf(stages: readonly StageOutline[]): Figures {
  const totals = FIGURES.flatMap((figure) => {
    const { total } = TABLE[figure];
    const values = stages.map(({ figures }) => figures[figure] ?? null).filter((value) => value !== null);
    return total === undefined || values.length === 0 ? [] : [[figure, total(values)] as const];
  });
  return Object.fromEntries(totals);
}
