/** What the steps of rows have that are answered together: rows leave as their answers end, and caches grow. */
import { leftRows, stepRows } from '../../../compute/evaluation/generation/generate.js';
import { cacheSize, cacheSizes } from '../../../compute/models/decoder/caches.js';

/** Rows that are answered together. */
export interface Answered {
  readonly rows: number;
  /** Tokens that each has room for, virtual ones included. */
  readonly capacity: number;
  /** Tokens of the longest prompt. */
  readonly prompt: number;
  /** When their answers end, where something is known of that. */
  readonly ends?: Ends | undefined;
}

/** After how many tokens each answer ends, what ends it included; or that they come to as many as they may. */
export type Ends = readonly number[] | 'never';

interface StepShape {
  readonly rows: number;
  /** Tokens that each has in the cache. */
  readonly size: number;
}

/**
 * Those of all steps, each once, in their order. Where nothing is known of their ends, answers end as late as lets rows leave one after
 * another: their caches are as large, and their graphs as many, as they can be.
 */
export function stepShapes(batch: Answered, virtual: number): readonly StepShape[] {
  const { rows: all, capacity, prompt, ends } = batch;
  if (ends === 'never' || ends === undefined) {
    const sizes = cacheSizes(virtual + prompt, capacity);
    const together = sizes.map((size) => ({ rows: all, size }));
    const left = ends === undefined ? stepRows(all).slice(1) : [];
    return [...together, ...left.map((rows) => ({ rows, size: capacity }))];
  }
  const found = new Map<string, StepShape>();
  let rows = all;
  for (let taken = 1; taken < capacity - virtual - prompt; taken++) {
    const going = ends.filter((tokens) => tokens > taken).length;
    if (going === 0) break;
    rows = leftRows(rows, going);
    const shape = { rows, size: cacheSize(virtual + prompt + taken, capacity) };
    found.set(`${shape.rows} ${shape.size}`, shape);
  }
  return [...found.values()];
}
