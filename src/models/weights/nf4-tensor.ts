import type { StoredTensor } from '../types.js';
import { rowElements } from './dense.js';
import { decodeNf4 } from './nf4-kernel.js';
import type { Nf4Data } from './nf4-quantise.js';
import { storedBytes } from './sizes.js';

/** A tensor held in NF4. */
export function nf4Tensor(name: string, shape: readonly number[], data: Nf4Data): StoredTensor {
  const row = rowElements(shape);
  const format = 'absmax' in data ? 'NF4_SINGLE' : 'NF4';
  return {
    name,
    shape,
    format,
    residentBytes: storedBytes(shape, format),
    view: () => undefined,
    decode: (out) => decodeNf4(data, 0, out),
    decodeRows: (first, count, out) => decodeNf4(data, first * row, out.subarray(0, count * row)),
  };
}
