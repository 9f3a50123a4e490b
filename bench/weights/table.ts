/** How fast weights are dequantised: values per second on one thread, for each format that is held in blocks. */

import { BLOCKS, type BlockFormat } from '../../src/compute/models/weights/formats.js';
import { quantiseNf4 } from '../../src/compute/models/weights/nf4-quantise.js';
import { nf4Tensor } from '../../src/compute/models/weights/nf4-tensor.js';
import { blockTensor } from '../../src/compute/models/weights/stored-tensor.js';
import type { BenchmarkOptions } from '../benchmark.js';

/** Of a block of SmolLM2-135M: 3.5 million. */
const SHAPE = [1536, 2304];
const VALUES = 1536 * 2304;
const ROUNDS = 7;

export async function* weights({ only = '' }: BenchmarkOptions): AsyncGenerator<string> {
  const formats = Object.keys(BLOCKS) as BlockFormat[];
  const lines = formats
    .filter((format) => format !== 'F32' && format.includes(only))
    .map((format) => {
      const { values, bytes } = BLOCKS[format];
      // zeros take as long as anything else
      const raw = new Uint8Array((VALUES / values) * bytes);
      return row(format, (8 * bytes) / values, blockTensor('w', SHAPE, format, raw));
    });
  yield* [...HEAD, ...lines];
  if (!'NF4'.includes(only)) return;
  const values = new Float32Array(VALUES);
  const nf4 = nf4Tensor(
    'w',
    SHAPE,
    quantiseNf4(VALUES, (start, out) => out.set(values.subarray(start, start + out.length))),
  );
  yield row('NF4', (8 * nf4.residentBytes) / VALUES, nf4);
}

const HEAD = ['| format | bits a weight | values dequantised a second |', '|---|---|---|'];

/** The best of some rounds, in time of the processor: what else runs on the machine only slows. */
function row(format: string, bits: number, tensor: { dequantise(out: Float32Array): void }): string {
  const out = new Float32Array(VALUES);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage();
    tensor.dequantise(out);
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, user + system);
  }
  return `| ${format} | ${bits.toFixed(2)} | ${(VALUES / best / 1e3).toFixed(2)} G |`;
}
