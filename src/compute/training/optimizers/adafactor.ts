/**
 * Adafactor (Shazeer and Stern 2018, arXiv 1804.04235) with a rate from outside, as transformers' Trainer runs it
 * (`scale_parameter=False, relative_step=False`): of a matrix only the means of the squared gradients over rows and
 * over columns are its state.
 */

import { discardedYoung } from '../../tensor/garbage.js';
import { sizeOf } from '../../tensor/shape.js';
import { sumOfSquares } from '../clip.js';
import { floats, type Rule, type RuleInput, type Slot } from './optimizer.js';

/** Added to squared gradients. */
const SMALLEST = 1e-30;
/** Root mean square that an update may have. */
const CLIP = 1;
/** The mean over past steps gives step t the weight t^−0.8. */
const DECAY = -0.8;

export const adafactor: Rule = {
  slots(shape): Readonly<Record<string, Slot>> {
    const columns = shape.at(-1) ?? 1;
    const rows = sizeOf(shape) / columns;
    return shape.length < 2 ? { v: floats(sizeOf(shape)) } : { row: floats(rows), column: floats(columns) };
  },
  // the update, whose mean square is known when all of it is
  scratch: (shape) => 4 * sizeOf(shape),
  update(input) {
    change(input);
    discardedYoung(4 * input.gradient.length);
  },
};

function change(input: RuleInput): void {
  const { parameter, rate, decay } = input;
  const update = parameter.shape.length < 2 ? ofVector(input) : ofMatrix(input);
  const size = Math.sqrt(sumOfSquares(update) / update.length);
  const scale = rate / Math.max(1, size / CLIP);
  const { data } = parameter;
  for (let i = 0; i < data.length; i++) {
    const kept = Math.fround((data[i] as number) * (1 - decay * rate));
    data[i] = kept - scale * (update[i] as number);
  }
}

function ofVector({ gradient, slots, step, gradientScale }: RuleInput): Float32Array {
  const v = slots['v'] as Float32Array;
  const keep = 1 - step ** DECAY;
  const update = new Float32Array(gradient.length);
  for (let i = 0; i < update.length; i++) {
    const value = (gradient[i] as number) * gradientScale;
    v[i] = (v[i] as number) * keep + squared(value) * (1 - keep);
    update[i] = value / Math.sqrt(v[i] as number);
  }
  return update;
}

const squared = (value: number): number => Math.fround(value) ** 2 + SMALLEST;

function ofMatrix({ gradient, slots, step, gradientScale }: RuleInput): Float32Array {
  const [row, column] = [slots['row'] as Float32Array, slots['column'] as Float32Array];
  const [rows, columns] = [row.length, column.length];
  const keep = 1 - step ** DECAY;
  const columnSums = new Float64Array(columns);
  let mean = 0;
  for (let r = 0, i = 0; r < rows; r++) {
    let sum = 0;
    for (let c = 0; c < columns; c++, i++) {
      const square = squared((gradient[i] as number) * gradientScale);
      sum += square;
      columnSums[c] = (columnSums[c] as number) + square;
    }
    row[r] = (row[r] as number) * keep + (sum / columns) * (1 - keep);
    mean += (row[r] as number) / rows;
  }
  const roots = new Float64Array(columns);
  for (let c = 0; c < columns; c++) {
    column[c] = (column[c] as number) * keep + ((columnSums[c] as number) / rows) * (1 - keep);
    roots[c] = Math.sqrt(column[c] as number);
  }
  const update = new Float32Array(gradient.length);
  for (let r = 0, i = 0; r < rows; r++) {
    const factor = Math.sqrt((row[r] as number) / mean);
    for (let c = 0; c < columns; c++, i++)
      update[i] = ((gradient[i] as number) * gradientScale) / (factor * (roots[c] as number));
  }
  return update;
}
