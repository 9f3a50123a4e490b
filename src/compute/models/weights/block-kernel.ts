import { dequantiseCalls, type KernelFormat } from './dequantisation.js';
import { BLOCKS, type BlockFormat } from './formats.js';

/** Dequantises `out.length` values from value `start` on (any position) of a tensor's whole blocks, exactly. */
export function dequantiseBlocks(
  format: KernelFormat,
  blocks: Uint8Array,
  start: number,
  out: Float32Array,
): void {
  const { values, bytes } = BLOCKS[format];
  dequantiseCalls(values, start, out, (memory, block, count, to) => {
    memory.raw.set(blocks.subarray(block * bytes, (block + count) * bytes));
    memory.blocks(format, count, to);
  });
}

/** `count` values from value `start` on; a view if they are float32 already (bytes aligned to 4). */
export function floatsOf(
  format: BlockFormat,
  blocks: Uint8Array,
  start: number,
  count: number,
): Float32Array {
  if (format === 'F32') return new Float32Array(blocks.buffer, blocks.byteOffset + 4 * start, count);
  const out = new Float32Array(count);
  dequantiseBlocks(format, blocks, start, out);
  return out;
}
