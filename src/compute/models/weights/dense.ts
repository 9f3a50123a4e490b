import type { StoredTensor } from '../types.js';
import { dequantiseBlocks, floatsOf } from './block-kernel.js';
import { BLOCKS, type BlockFormat } from './formats.js';
import { elementCount } from './sizes.js';

/** A float32 tensor in memory. */
export function float32Tensor(name: string, shape: readonly number[], data: Float32Array): StoredTensor {
  checkLength(name, shape, data.length);
  const row = rowElements(shape);
  return {
    name,
    shape,
    format: 'F32',
    residentBytes: data.byteLength,
    view: () => data,
    dequantise: (out) => out.set(data),
    dequantiseRows: (first, count, out) => out.set(data.subarray(first * row, (first + count) * row)),
  };
}

/** A tensor that is held in the blocks of its format. */
export function blockTensor(
  name: string,
  shape: readonly number[],
  format: BlockFormat,
  blocks: Uint8Array,
): StoredTensor {
  const { values, bytes } = BLOCKS[format];
  checkLength(name, shape, (blocks.byteLength / bytes) * values);
  if (format === 'F32') return float32Tensor(name, shape, floatsOf(format, blocks, 0, elementCount(shape)));
  const row = rowElements(shape);
  return {
    name,
    shape,
    format,
    residentBytes: blocks.byteLength,
    view: () => undefined,
    dequantise: (out) => dequantiseBlocks(format, blocks, 0, out),
    dequantiseRows: (first, count, out) =>
      dequantiseBlocks(format, blocks, first * row, out.subarray(0, count * row)),
    packed: () => HALVES[format] && { form: HALVES[format], shape, bits: blocks },
  };
}

const HALVES: Readonly<Partial<Record<BlockFormat, 'f16' | 'bf16'>>> = { F16: 'f16', BF16: 'bf16' };

/** Values of one step of the first dimension. */
export function rowElements(shape: readonly number[]): number {
  return elementCount(shape.slice(1));
}

function checkLength(name: string, shape: readonly number[], length: number): void {
  if (elementCount(shape) !== length)
    throw new RangeError(`${name}: ${length} values for [${shape.join(', ')}]`);
}
