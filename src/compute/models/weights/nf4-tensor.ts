import type { PackedTensor } from '../../tensor/types.js';
import type { StoredTensor } from '../types.js';
import {
  dequantiseCalls,
  dequantiseInTiles,
  dequantiseNf4Tiles,
  NF4_TILE,
  type Tiling,
} from './dequantisation.js';
import { NF4_BLOCK, NF4_NESTED_BLOCK, storedBytes } from './formats.js';
import type { Round } from './half.js';
import { DYNAMIC_CODE, NF4_CODE } from './nf4-codes.js';
import type { Nf4Data, SharedNf4 } from './nf4-quantise.js';
import { encodedTensor } from './stored-tensor.js';

const CODE_BYTES = NF4_BLOCK / 2;

/** Absmax of blocks `first … first + out.length - 1`, rounded as bitsandbytes rounds it. */
export function dequantiseConstants(data: Nf4Data, first: number, out: Float32Array): void {
  if ('absmax' in data) {
    out.set(data.absmax.subarray(first, first + out.length));
    return;
  }
  const { constants, scales, offset } = data;
  const end = first + out.length;
  for (let at = first; at < end; ) {
    const scale = scales[Math.floor(at / NF4_NESTED_BLOCK)] as number;
    const stop = Math.min(end, (Math.floor(at / NF4_NESTED_BLOCK) + 1) * NF4_NESTED_BLOCK);
    for (; at < stop; at++)
      out[at - first] = Math.fround((DYNAMIC_CODE[constants[at] as number] as number) * scale) + offset;
  }
}

/** Dequantises `out.length` weights from `start` on (any position) with SIMD. */
export function dequantiseNf4(data: Nf4Data, start: number, out: Float32Array): void {
  dequantiseCalls(NF4_BLOCK, start, out, (memory, block, count, to) => {
    memory.raw.set(data.codes.subarray(block * CODE_BYTES, (block + count) * CODE_BYTES));
    dequantiseConstants(data, block, memory.absmax.subarray(0, count));
    memory.nf4(count, to);
  });
}

/** Dequantises a matrix into tiles. */
export function dequantiseTiledNf4(data: Nf4Data, { columns, size }: Tiling, out: Float32Array): void {
  if (size !== NF4_TILE || columns % NF4_BLOCK !== 0) {
    dequantiseInTiles({ columns, size }, out, (start, rows) => dequantiseNf4(data, start, rows));
    return;
  }
  dequantiseNf4Tiles(columns, out, (memory, block, count) => {
    memory.raw.set(data.codes.subarray(block * CODE_BYTES, (block + count) * CODE_BYTES));
    dequantiseConstants(data, block, memory.absmax.subarray(0, count));
  });
}

/** A tensor held in NF4; `round` is the type that its values are dequantised to, if not float32. */
export function nf4Tensor(
  name: string,
  shape: readonly number[],
  data: Nf4Data,
  round?: Round,
): StoredTensor {
  const format = 'absmax' in data ? 'NF4_SINGLE' : 'NF4';
  // a runtime dequantises to float32
  const packed = () => (round === undefined ? packedNf4(shape, data) : undefined);
  const residentBytes = storedBytes(shape, format);
  const shared = () => (round === undefined ? sharedNf4(data) : undefined);
  return encodedTensor({ name, shape, format, residentBytes, packed, shared }, (start, out) => {
    dequantiseNf4(data, start, out);
    round?.(out);
  });
}

function sharedNf4(data: Nf4Data): SharedNf4 | undefined {
  const isShared = !('absmax' in data) && data.codes.buffer instanceof SharedArrayBuffer;
  return isShared ? (data as SharedNf4) : undefined;
}

function packedNf4(shape: readonly number[], data: Nf4Data): PackedTensor {
  const plain = { form: 'coded', shape, table: NF4_CODE, block: NF4_BLOCK, codes: data.codes } as const;
  if ('absmax' in data) return { ...plain, constants: data.absmax };
  const { constants: codes, scales, offset } = data;
  return { ...plain, constants: { codes, scales, offset, table: DYNAMIC_CODE, block: NF4_NESTED_BLOCK } };
}
