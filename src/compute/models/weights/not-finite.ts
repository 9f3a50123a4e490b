import type { WeightStore } from '../types.js';
import { rowElements } from './dense.js';

/** Values that are dequantised at a time. */
const WINDOW = 1 << 18;

export function areFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

/** The first tensor with a value that is not finite; `undefined` if there is none. */
export function tensorNotFinite(weights: WeightStore): string | undefined {
  return weights.names().find((name) => {
    const { shape, dequantiseRows } = weights.get(name);
    const [rows = 1] = shape;
    const row = rowElements(shape);
    const step = Math.max(1, Math.floor(WINDOW / row));
    for (let first = 0; first < rows; first += step) {
      const values = new Float32Array(Math.min(step, rows - first) * row);
      dequantiseRows(first, values.length / row, values);
      if (!areFinite(values)) return true;
    }
    return false;
  });
}
