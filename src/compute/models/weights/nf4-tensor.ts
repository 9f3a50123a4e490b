import type { PackedTensor } from '../../tensor/types.js';
import type { StoredTensor } from '../types.js';
import { rowElements } from './dense.js';
import type { Round } from './half.js';
import { DYNAMIC_CODE, NF4_CODE } from './nf4-codes.js';
import { dequantiseNf4 } from './nf4-dequantise.js';
import type { Nf4Data } from './nf4-quantise.js';
import { NF4_BLOCK, NF4_NESTED_BLOCK, storedBytes } from './sizes.js';

/** A tensor held in NF4; `round` is the type that its values are dequantised to, if not float32. */
export function nf4Tensor(
  name: string,
  shape: readonly number[],
  data: Nf4Data,
  round?: Round,
): StoredTensor {
  const dequantise = (start: number, out: Float32Array): void => {
    dequantiseNf4(data, start, out);
    round?.(out);
  };
  const row = rowElements(shape);
  const format = 'absmax' in data ? 'NF4_SINGLE' : 'NF4';
  return {
    name,
    shape,
    format,
    residentBytes: storedBytes(shape, format),
    view: () => undefined,
    // a runtime dequantises to float32
    packed: () => (round === undefined ? packed(shape, data) : undefined),
    dequantise: (out) => dequantise(0, out),
    dequantiseRows: (first, count, out) => dequantise(first * row, out.subarray(0, count * row)),
  };
}

const packed = (shape: readonly number[], data: Nf4Data): PackedTensor => ({
  form: 'coded',
  shape,
  table: NF4_CODE,
  block: NF4_BLOCK,
  codes: data.codes,
  constants:
    'absmax' in data
      ? data.absmax
      : {
          codes: data.constants,
          scales: data.scales,
          offset: data.offset,
          table: DYNAMIC_CODE,
          block: NF4_NESTED_BLOCK,
        },
});
