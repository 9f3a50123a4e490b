/** Values along an axis, as charts of a page and of a terminal draw them. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

/** Those that have something to draw, without the points whose value is not a number. */
export const drawable = <S extends Series>(series: readonly S[]): readonly S[] =>
  series
    .map((one) => ({
      ...one,
      points: one.points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)),
    }))
    .filter(({ points }) => points.length > 0);

export interface Range {
  readonly low: number;
  readonly high: number;
}

/** From the lowest to the highest value, with so much of that as air around it; never empty. */
export function rangeOf(values: readonly number[], air = 0): Range {
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const around = high > low ? (high - low) * air : Math.abs(low) * 0.1 || 1;
  return { low: low - around, high: high + around };
}
