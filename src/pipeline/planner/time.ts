/** How long stages take: arithmetic over a rate that was measured here, or bytes over one that is nearly the same everywhere. */
import * as v from 'valibot';
import { type Checked, that } from '../../language/host/json.js';
import type { Seconds } from './types.js';

/** What this machine computes, in floating-point operations per second, in products of a decoder's size. */
export const SPEED = v.object({
  flopsPerSecond: that((value): value is number => Number.isFinite(value) && Number(value) > 0, 'a rate'),
});
export type Speed = Checked<typeof SPEED>;

/** Share of a matrix product's rate that a whole training step reaches: the rest is element-wise work and memory. */
const STEP_EFFICIENCY = 0.3;
/** Tokens that come one by one read every weight for one product. */
const GENERATION_EFFICIENCY = 0.06;

/** Start of a process with a tensor runtime, and without. */
const START = { decoder: 1.5, plain: 0.6 } as const;

const interval = (expected: number): Seconds => ({ expected, low: 0.5 * expected, high: 2.5 * expected });

export const computeSeconds = (flops: number, speed: Speed): Seconds =>
  interval(START.decoder + flops / (speed.flopsPerSecond * STEP_EFFICIENCY));

export const generationSeconds = (flops: number, speed: Speed): number =>
  flops / (speed.flopsPerSecond * GENERATION_EFFICIENCY);

export const plus = (seconds: Seconds, more: number): Seconds => interval(seconds.expected + more);

/** Rows that are parsed, normalised, compared and written. */
const ROW_BYTES_PER_SECOND = { data: 2e6, format: 0.9e6 } as const;

export const rowSeconds = (kind: keyof typeof ROW_BYTES_PER_SECOND, bytes: number): Seconds =>
  interval(START.plain + bytes / ROW_BYTES_PER_SECOND[kind]);

const COPY_BYTES_PER_SECOND = 200e6;

export const copySeconds = (bytes: number): Seconds => interval(START.plain + bytes / COPY_BYTES_PER_SECOND);

export function addSeconds(all: readonly (Seconds | null)[]): Seconds | null {
  if (all.some((one) => one === null)) return null;
  return all.reduce<Seconds>(
    (total, one) => ({
      expected: total.expected + (one?.expected ?? 0),
      low: total.low + (one?.low ?? 0),
      high: total.high + (one?.high ?? 0),
    }),
    { expected: 0, low: 0, high: 0 },
  );
}

export const NO_TIME: Seconds = { expected: 0, low: 0, high: 0 };
