/** Float32 to GGML's blocks: the same bytes as ggml's plain C gives without an importance matrix (`quantize_row_*_ref`). */
import { QUANTISE_KERNEL } from '../../tensor/kernels.generated.js';
import { createMemory, startModule } from '../../tensor/webassembly.js';
import { BLOCKS, type BlockFormat } from './formats.js';

/** Formats that a kernel makes. */
type QuantisedFormat = Exclude<BlockFormat, 'F32'>;

/** Values of one call: 128 KiB of floats, so that values and blocks stay in the second-level cache. */
const CALL_VALUES = 1 << 15;
const WORK = 0;
const IN = 4096;
const OUT = IN + 4 * CALL_VALUES;
/** The widest have two bytes for a value. */
const OUT_BYTES = 2 * CALL_VALUES;

type KernelExport = (values: number, blocks: number, count: number, work: number) => void;

interface QuantisationMemory {
  readonly values: Float32Array;
  readonly blocks: Uint8Array;
  readonly run: Readonly<Record<QuantisedFormat, KernelExport>>;
}

let shared: QuantisationMemory | undefined;

function memory(): QuantisationMemory {
  if (shared !== undefined) return shared;
  const allocated = createMemory(OUT + OUT_BYTES);
  shared = {
    values: new Float32Array(allocated.buffer, IN, CALL_VALUES),
    blocks: new Uint8Array(allocated.buffer, OUT, OUT_BYTES),
    run: startModule(QUANTISE_KERNEL, allocated) as Readonly<Record<QuantisedFormat, KernelExport>>,
  };
  return shared;
}

/** Whole blocks, row-major, of values that are finite where a block has several; the values themselves if they are float32. */
export function quantiseBlocks(format: BlockFormat, values: Float32Array): Uint8Array {
  if (format === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const block = BLOCKS[format];
  const out = new Uint8Array((values.length / block.values) * block.bytes);
  const { run, values: window, blocks } = memory();
  for (let start = 0; start < values.length; start += CALL_VALUES) {
    const count = Math.min(CALL_VALUES, values.length - start) / block.values;
    window.set(values.subarray(start, start + count * block.values));
    run[format](IN, OUT, count, WORK);
    out.set(blocks.subarray(0, count * block.bytes), (start / block.values) * block.bytes);
  }
  return out;
}
