/**
 * MinHash signatures (Broder, "On the resemblance and containment of documents", 1997): sets that overlap by s agree in
 * a hash with chance s.
 */
import { MINHASH_KERNEL } from '../../../../compute/tensor/kernels.generated.js';
import { createMemory, startModule } from '../../../../compute/tensor/webassembly.js';
import { mix } from './word-triples.js';

/** Hash functions of a signature. */
export const FUNCTIONS = 128;

/** Numbers that the kernel reads at a time, in multiples of this. */
const LANES = 8;
/** Numbers of one call: 16 KiB, which stay in the first cache while every function reads them. */
const WINDOW = 4096;
const PARAMETERS = 0;
const LEAST = PARAMETERS + 8 * FUNCTIONS;
const SET = LEAST + 4 * FUNCTIONS;

type LeastExport = (set: number, end: number, functions: number, least: number, count: number) => void;

interface Kernel {
  readonly set: Uint32Array;
  readonly least: Uint32Array;
  readonly run: LeastExport;
}

let kernel: Kernel | undefined;

function start(): Kernel {
  const memory = createMemory(SET + 4 * WINDOW);
  const functions = new Uint32Array(memory.buffer, PARAMETERS, 2 * FUNCTIONS);
  for (let index = 0; index < FUNCTIONS; index++) {
    const seed = mix(index + 1);
    functions.set([seed, mix(seed) | 1], 2 * index);
  }
  return {
    set: new Uint32Array(memory.buffer, SET, WINDOW),
    least: new Uint32Array(memory.buffer, LEAST, FUNCTIONS),
    run: startModule(MINHASH_KERNEL, memory)['least'] as LeastExport,
  };
}

/** The least hash of a set that is not empty under each of the first `count` functions; valid until the next call. */
export function signatureOf(set: Uint32Array, count = FUNCTIONS): Uint32Array {
  kernel ??= start();
  const signature = kernel.least.subarray(0, count).fill(0xffffffff);
  for (let done = 0; done < set.length; done += WINDOW) {
    const some = set.subarray(done, done + WINDOW);
    const whole = Math.ceil(some.length / LANES) * LANES;
    kernel.set.set(some);
    // a number that is there twice changes no minimum
    kernel.set.fill(some[0] ?? 0, some.length, whole);
    kernel.run(SET, SET + 4 * whole, PARAMETERS, LEAST, count);
  }
  return signature;
}
