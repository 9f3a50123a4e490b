/** Matrices that are in a file the other way round than the model asks for them. */
import type { StoredTensor } from '../types.js';
import { float32Tensor } from './dense.js';
import { elementCount } from './sizes.js';
import type { SourceTensor } from './weight-source.js';

/** Held as it is in the file, and turned when it is dequantised. */
export function transposedSource(plain: SourceTensor): SourceTensor {
  const { name } = plain;
  const shape = [...plain.shape].reverse();
  const [, width = 1] = shape;
  return {
    ...plain,
    shape,
    read(start, count) {
      const first = Math.floor(start / width);
      const rows = Math.ceil((start + count) / width) - first;
      const out = new Float32Array(rows * width);
      transposedTensor(name, plain.load()).dequantiseRows(first, rows, out);
      return out.subarray(start - first * width, start - first * width + count);
    },
    load() {
      const found = transposedTensor(name, plain.load());
      if (found.format !== 'F32') return found;
      const values = new Float32Array(elementCount(shape));
      found.dequantise(values);
      return float32Tensor(name, shape, values);
    },
  };
}

/** Rows that are dequantised at a time: what is written of them side by side fills a line of a processor's cache. */
const TILE = 16;

/** A matrix that is held the other way round. */
export function transposedTensor(name: string, stored: StoredTensor): StoredTensor {
  const shape = [...stored.shape].reverse();
  const [height = 0, width = 0] = shape;
  const dequantiseRows = (first: number, count: number, out: Float32Array): void => {
    const columns = new Float32Array(TILE * height);
    for (let at = 0; at < width; at += TILE) {
      const some = Math.min(TILE, width - at);
      stored.dequantiseRows(at, some, columns);
      for (let row = 0; row < count; row++)
        for (let i = 0; i < some; i++)
          out[row * width + at + i] = columns[i * height + first + row] as number;
    }
  };
  return {
    name,
    shape,
    format: stored.format,
    residentBytes: stored.residentBytes,
    view: () => undefined,
    dequantise: (out) => dequantiseRows(0, height, out),
    dequantiseRows,
  };
}
