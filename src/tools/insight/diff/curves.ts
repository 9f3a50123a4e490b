/** A loss curve in a few figures. */
import type { RunStage } from '../runs/index.js';

export interface CurveDiff {
  readonly steps: number;
  /** Training loss, smoothed over a tenth of the steps: single batches say little. */
  readonly first: number | null;
  readonly last: number | null;
  /** Lowest validation loss and the step at which it was measured. */
  readonly best: number | null;
  readonly bestStep: number | null;
  /** The curve in {@link POINTS} points at most, each the mean of several steps. */
  readonly points: readonly number[];
}

const POINTS = 32;

/** `null` for a stage without steps. */
export function curveOf({ steps, validations }: RunStage): CurveDiff | null {
  const losses = steps.flatMap(({ loss }) => (loss === null ? [] : [loss]));
  if (losses.length === 0) return null;
  const window = Math.max(1, Math.round(losses.length / 10));
  const measured = validations.filter(({ loss }) => loss !== null);
  const best = measured.reduce<(typeof measured)[number] | undefined>(
    (lowest, one) => (lowest === undefined || Number(one.loss) < Number(lowest.loss) ? one : lowest),
    undefined,
  );
  return {
    steps: steps.at(-1)?.step ?? losses.length,
    first: mean(losses.slice(0, window)),
    last: mean(losses.slice(-window)),
    best: best?.loss ?? null,
    bestStep: best?.step ?? null,
    points: thinned(losses, POINTS),
  };
}

/** At most `count` values, each the mean of its part. */
function thinned(values: readonly number[], count: number): readonly number[] {
  if (values.length <= count) return values;
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * values.length) / count);
    const to = Math.floor(((index + 1) * values.length) / count);
    return mean(values.slice(from, to));
  });
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const BLOCKS = '▁▂▃▄▅▆▇█';

/** `▇▅▃▂▁`; both ends as given, so that two curves can be drawn to one scale. */
export function sparkline(values: readonly number[], low: number, high: number): string {
  return values
    .map((value) => {
      const share = high > low ? (value - low) / (high - low) : 0;
      const at = Math.round(share * (BLOCKS.length - 1));
      return BLOCKS[Math.min(BLOCKS.length - 1, Math.max(0, at))] ?? '';
    })
    .join('');
}
