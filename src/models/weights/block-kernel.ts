import { BLOCKS, type BlockFormat } from './formats.js';
import { BLOCKS_KERNEL } from './kernels.generated.js';
import { startModule } from './webassembly.js';

/** Values of one call: 128 KiB of floats, so that blocks and result stay in the second-level cache. */
const CALL_VALUES = 1 << 15;

type Decode = (raw: number, out: number, blocks: number) => void;

interface Kernel {
  readonly raw: Uint8Array;
  readonly out: Float32Array;
  run(format: BlockFormat, blocks: number): void;
}

let kernel: Kernel | undefined;

/** The kernel and its windows into WebAssembly memory; one a process, made on first use. */
function loadKernel(): Kernel {
  if (kernel !== undefined) return kernel;
  const exports = startModule(BLOCKS_KERNEL);
  const { buffer } = exports['memory'] as { readonly buffer: ArrayBuffer };
  const [raw, out] = [0, CALL_VALUES * 2];
  kernel = {
    // no format that is decoded has more than two bytes a value
    raw: new Uint8Array(buffer, raw, CALL_VALUES * 2),
    out: new Float32Array(buffer, out, CALL_VALUES),
    run: (format, blocks) => (exports[format] as Decode)(raw, out, blocks),
  };
  return kernel;
}

/** Decodes `out.length` values from value `start` on (any position) of a tensor's whole blocks, exactly. */
export function decodeBlocks(
  format: Exclude<BlockFormat, 'F32'>,
  blocks: Uint8Array,
  start: number,
  out: Float32Array,
): void {
  const { values, bytes } = BLOCKS[format];
  const { raw, out: decoded, run } = loadKernel();
  const end = start + out.length;
  const endBlock = Math.ceil(end / values);
  const step = CALL_VALUES / values;
  for (let block = Math.floor(start / values); block < endBlock; block += step) {
    const count = Math.min(step, endBlock - block);
    raw.set(blocks.subarray(block * bytes, (block + count) * bytes));
    run(format, count);
    const from = Math.max(start, block * values);
    const to = Math.min(end, (block + count) * values);
    out.set(decoded.subarray(from - block * values, to - block * values), from - start);
  }
}

/** `count` values from value `start` on; a view where they are float32 already (bytes aligned to 4). */
export function floatsOf(
  format: BlockFormat,
  blocks: Uint8Array,
  start: number,
  count: number,
): Float32Array {
  if (format === 'F32') return new Float32Array(blocks.buffer, blocks.byteOffset + 4 * start, count);
  const out = new Float32Array(count);
  decodeBlocks(format, blocks, start, out);
  return out;
}
