/**
 * Adafactor (Shazeer and Stern 2018, arXiv 1804.04235) with a rate from outside, as transformers' Trainer runs it
 * (`scale_parameter=False, relative_step=False`): of a matrix only the means of the squared gradients over rows and
 * over columns are remembered.
 */
import { elements, floats, type Rule, type RuleInput, type Slot } from './optimizer.js';

/** Added to squared gradients. */
const SMALLEST = 1e-30;
/** Root mean square that an update may have. */
const CLIP = 1;
/** The mean over past steps gives step t the weight t^−0.8. */
const DECAY = -0.8;

export const adafactor: Rule = {
  slots(shape): Readonly<Record<string, Slot>> {
    const columns = shape.at(-1) ?? 1;
    const rows = elements(shape) / columns;
    return shape.length < 2 ? { v: floats(elements(shape)) } : { row: floats(rows), column: floats(columns) };
  },
  update(input) {
    const { parameter, rate, decay } = input;
    const update = parameter.shape.length < 2 ? ofVector(input) : ofMatrix(input);
    const size = Math.sqrt(update.reduce((sum, value) => sum + value * value, 0) / update.length);
    const scale = rate / Math.max(1, size / CLIP);
    const { data } = parameter;
    for (let i = 0; i < data.length; i++) {
      const kept = Math.fround((data[i] as number) * (1 - decay * rate));
      data[i] = kept - scale * (update[i] as number);
    }
  },
};

const squared = (gradient: Float32Array, i: number, scale: number): number =>
  Math.fround((gradient[i] as number) * scale) ** 2 + SMALLEST;

function ofVector({ gradient, slots, step, gradientScale }: RuleInput): Float32Array {
  const v = slots['v'] as Float32Array;
  const keep = 1 - step ** DECAY;
  return Float32Array.from(gradient, (value, i) => {
    v[i] = (v[i] as number) * keep + squared(gradient, i, gradientScale) * (1 - keep);
    return (value * gradientScale) / Math.sqrt(v[i] as number);
  });
}

function ofMatrix({ parameter, gradient, slots, step, gradientScale }: RuleInput): Float32Array {
  const [row, column] = [slots['row'] as Float32Array, slots['column'] as Float32Array];
  const [rows, columns] = [row.length, column.length];
  const keep = 1 - step ** DECAY;
  const [rowSums, columnSums] = [new Float64Array(rows), new Float64Array(columns)];
  for (let i = 0; i < parameter.data.length; i++) {
    const square = squared(gradient, i, gradientScale);
    const [r, c] = [Math.floor(i / columns), i % columns];
    rowSums[r] = (rowSums[r] as number) + square;
    columnSums[c] = (columnSums[c] as number) + square;
  }
  rowSums.forEach((sum, r) => {
    row[r] = (row[r] as number) * keep + (sum / columns) * (1 - keep);
  });
  columnSums.forEach((sum, c) => {
    column[c] = (column[c] as number) * keep + (sum / rows) * (1 - keep);
  });
  const mean = row.reduce((sum, value) => sum + value, 0) / rows;
  return Float32Array.from(gradient, (value, i) => {
    const factor = Math.sqrt((row[Math.floor(i / columns)] as number) / mean);
    return (value * gradientScale) / (factor * Math.sqrt(column[i % columns] as number));
  });
}
