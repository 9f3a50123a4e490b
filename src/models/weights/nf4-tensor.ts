import type { StoredTensor } from '../types.js';
import { rowElements } from './dense.js';
import { DYNAMIC_CODE, NF4_CODE } from './nf4-codes.js';
import { decodeNf4 } from './nf4-kernel.js';
import type { Nf4Data } from './nf4-quantise.js';
import { NF4_BLOCK, NF4_NESTED_BLOCK, storedBytes } from './sizes.js';

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
    packed: () => ({
      ...{ form: 'coded', shape, table: NF4_CODE, block: NF4_BLOCK, codes: data.codes },
      constants:
        'absmax' in data
          ? data.absmax
          : {
              ...{ codes: data.constants, scales: data.scales, offset: data.offset },
              ...{ table: DYNAMIC_CODE, block: NF4_NESTED_BLOCK },
            },
    }),
    decode: (out) => decodeNf4(data, 0, out),
    decodeRows: (first, count, out) => decodeNf4(data, first * row, out.subarray(0, count * row)),
  };
}
