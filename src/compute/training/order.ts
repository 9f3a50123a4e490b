import { philox } from '../models/philox.js';

export type RowOrder = 'shuffled' | 'file' | 'by_length';

export interface OrderOptions {
  readonly order: RowOrder;
  readonly rows: number;
  readonly globalBatch: number;
  readonly seed: number;
  lengthOf(row: number): number;
}

/** Optimiser steps of one pass; where the rows don't divide, the last step of each pass is a short one. */
export function stepsPerEpoch(rows: number, globalBatch: number): number {
  return Math.max(1, Math.ceil(rows / globalBatch));
}

interface StopAfter {
  /** Default: only `steps` counts. */
  readonly epochs?: number;
  readonly steps?: number;
}

/** Optimiser steps of a whole training: parts of a pass count, rounded up, and the smaller limit holds. */
export function totalSteps(rows: number, globalBatch: number, stop: StopAfter): number {
  const byEpochs =
    stop.epochs === undefined
      ? Number.POSITIVE_INFINITY
      : Math.ceil(stop.epochs * stepsPerEpoch(rows, globalBatch));
  const total = Math.min(byEpochs, stop.steps ?? Number.POSITIVE_INFINITY);
  if (!Number.isFinite(total)) throw new RangeError('neither epochs nor steps limit the training');
  return Math.max(1, total);
}

/** The order of one pass (`epoch` from 0): a pure function of the options and the pass. */
export function epochOrder(options: OrderOptions, epoch: number): Uint32Array {
  return ORDERS[options.order](options, epoch);
}

const ORDERS: Readonly<Record<RowOrder, (options: OrderOptions, epoch: number) => Uint32Array>> = {
  file: ({ rows }) => ascending(rows),
  shuffled: ({ rows, seed }, epoch) => {
    const order = ascending(rows);
    shuffle(order, seed, epoch);
    return order;
  },
  by_length: lengthOrder,
};

/**
 * Rows of like length share a batch, and the batches come in a shuffled order, since easy-to-hard order would train
 * worse. Rows of equal length are shuffled in each pass; a short batch, of the longest rows, is last.
 */
function lengthOrder({ rows, globalBatch, seed, lengthOf }: OrderOptions, epoch: number): Uint32Array {
  const ties = Float64Array.from({ length: rows }, (_, row) => uniform(seed, epoch, row));
  const sorted = ascending(rows).sort((a, b) => lengthOf(a) - lengthOf(b) || (ties[a] ?? 0) - (ties[b] ?? 0));
  const full = Math.floor(rows / globalBatch);
  const batches = ascending(full);
  shuffle(batches, seed, epoch);
  const order = new Uint32Array(rows);
  batches.forEach((batch, place) => {
    order.set(sorted.subarray(batch * globalBatch, (batch + 1) * globalBatch), place * globalBatch);
  });
  order.set(sorted.subarray(full * globalBatch), full * globalBatch);
  return order;
}

/** Tells the draws of row orders from those of initialisation and dropout under the same seed. */
const ORDER = 0x7261696e;

/**
 * A number in [0, 1) with 53 random bits, a pure function of its counters: a resumed run draws what an undisturbed
 * one would.
 */
export function uniform(seed: number, stream: number, counter: number): number {
  const key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0] as const;
  const [high, low] = philox([counter >>> 0, Math.floor(counter / 2 ** 32), stream >>> 0, ORDER], key);
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
}

/** Fisher–Yates in place. */
function shuffle(values: Uint32Array, seed: number, stream: number): void {
  for (let last = values.length - 1; last > 0; last--) {
    const other = Math.floor(uniform(seed, stream, last) * (last + 1));
    const held = values[last] ?? 0;
    values[last] = values[other] ?? 0;
    values[other] = held;
  }
}

function ascending(count: number): Uint32Array {
  const values = new Uint32Array(count);
  for (let i = 0; i < count; i++) values[i] = i;
  return values;
}

/** Rows of each global batch by its step; the order of the current pass is kept until another is asked for. */
interface GlobalBatches {
  readonly stepsPerEpoch: number;
  /** `step` counts from 1. */
  rowsOf(step: number): Uint32Array;
}

/**
 * Row numbers of each step's global batch; the last step of an epoch may have fewer. A function of the options alone.
 */
export function globalBatches(options: OrderOptions): GlobalBatches {
  const perEpoch = stepsPerEpoch(options.rows, options.globalBatch);
  let current: { epoch: number; order: Uint32Array } | undefined;
  return {
    stepsPerEpoch: perEpoch,
    rowsOf(step) {
      const epoch = Math.floor((step - 1) / perEpoch);
      if (current?.epoch !== epoch) current = { epoch, order: epochOrder(options, epoch) };
      const start = ((step - 1) % perEpoch) * options.globalBatch;
      return current.order.subarray(start, start + options.globalBatch);
    },
  };
}
