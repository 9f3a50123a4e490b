/**
 * The SIMD kernel of AdamW (`kernels/adam.wat`). It computes in a memory of its own, through whose windows parameters,
 * gradients and moments pass: a window fits into the second-level cache, so that this costs little compared with reading them.
 */
import { ADAM_KERNEL } from '../../tensor/kernels.generated.js';
import { createMemory, startModule } from '../../tensor/webassembly.js';
import type { RuleInput } from './optimizer.js';

/** Elements that share their largest magnitude in an 8-bit state. */
export const BLOCK = 256;

export const MEANS = dynamicMap(true);
export const SQUARES = dynamicMap(false);

/** Elements of one call. */
const WINDOW = 1 << 14;

/** Values, ends and first codes of one moment's code: see the kernel. */
const TABLE_BYTES = 4 * 256 + 4 * 256 + 2 ** 16;

const MEAN_TABLES = 64;
const SQUARE_TABLES = MEAN_TABLES + TABLE_BYTES;
const PARAMETER = SQUARE_TABLES + TABLE_BYTES;
const GRADIENT = PARAMETER + 4 * WINDOW;
const MEAN = GRADIENT + 4 * WINDOW;
const SQUARE = MEAN + 4 * WINDOW;
const MEAN_CODES = SQUARE + 4 * WINDOW;
const SQUARE_CODES = MEAN_CODES + WINDOW;
const MEAN_SCALES = SQUARE_CODES + WINDOW;
const SQUARE_SCALES = MEAN_SCALES + (4 * WINDOW) / BLOCK;
const END = SQUARE_SCALES + (4 * WINDOW) / BLOCK;

interface EightBitMoments {
  readonly m: Uint8Array;
  readonly v: Uint8Array;
  /** One per block, as `squareScales`. */
  readonly meanScales: Float32Array;
  readonly squareScales: Float32Array;
}

interface AdamKernel {
  adamw(input: RuleInput, m: Float32Array, v: Float32Array): void;
  adamw8bit(input: RuleInput, moments: EightBitMoments): void;
}

let started: AdamKernel | undefined;

/** The kernel, started at its first use and shared by all parameters of the process. */
export function adamKernel(): AdamKernel {
  started ??= start();
  return started;
}

function start(): AdamKernel {
  const memory = createMemory(END);
  const { buffer } = memory;
  const run = startModule(ADAM_KERNEL, memory) as Readonly<Record<string, (...at: number[]) => void>>;
  const constants = new Float64Array(buffer, 0, 8);
  const floats = (at: number) => new Float32Array(buffer, at, WINDOW);
  const [parameter, gradient, mean, square] = [PARAMETER, GRADIENT, MEAN, SQUARE].map(floats) as [
    ...[Float32Array, Float32Array, Float32Array, Float32Array],
  ];
  const codes = {
    m: new Uint8Array(buffer, MEAN_CODES, WINDOW),
    v: new Uint8Array(buffer, SQUARE_CODES, WINDOW),
  };
  const scales = {
    m: new Float32Array(buffer, MEAN_SCALES, WINDOW / BLOCK),
    v: new Float32Array(buffer, SQUARE_SCALES, WINDOW / BLOCK),
  };
  writeTables(buffer, MEAN_TABLES, MEANS);
  writeTables(buffer, SQUARE_TABLES, SQUARES);

  /** A window at a time: parameters and gradients go in, `step` runs, parameters come out. */
  const inWindows = (input: RuleInput, step: (first: number, end: number) => void): void => {
    constants.set(constantsOf(input));
    const { data } = input.parameter;
    for (let first = 0; first < data.length; first += WINDOW) {
      const end = Math.min(first + WINDOW, data.length);
      parameter.set(data.subarray(first, end));
      gradient.set(input.gradient.subarray(first, end));
      step(first, end);
      data.set(parameter.subarray(0, end - first), first);
    }
  };
  return {
    adamw(input, m, v) {
      inWindows(input, (first, end) => {
        mean.set(m.subarray(first, end));
        square.set(v.subarray(first, end));
        run['adamw']?.(PARAMETER, GRADIENT, MEAN, SQUARE, end - first);
        m.set(mean.subarray(0, end - first), first);
        v.set(square.subarray(0, end - first), first);
      });
    },
    adamw8bit(input, { m, v, meanScales, squareScales }) {
      inWindows(input, (first, end) => {
        const [block, blocks] = [first / BLOCK, Math.ceil((end - first) / BLOCK)];
        codes.m.set(m.subarray(first, end));
        codes.v.set(v.subarray(first, end));
        scales.m.set(meanScales.subarray(block, block + blocks));
        scales.v.set(squareScales.subarray(block, block + blocks));
        run['adamw8bit']?.(
          ...[PARAMETER, GRADIENT, MEAN_CODES, SQUARE_CODES, MEAN_SCALES, SQUARE_SCALES, end - first],
          ...[MEAN_TABLES, SQUARE_TABLES, MEAN],
        );
        m.set(codes.m.subarray(0, end - first), first);
        v.set(codes.v.subarray(0, end - first), first);
        meanScales.set(scales.m.subarray(0, blocks), block);
        squareScales.set(scales.v.subarray(0, blocks), block);
      });
    },
  };
}

/** In the order in which the kernel reads them. */
function constantsOf({ options, decay, step, rate, gradientScale }: RuleInput): readonly number[] {
  const { beta1, beta2, epsilon } = options;
  const { fround } = Math;
  const correction = Math.sqrt(1 - beta2 ** step);
  // m̂ ÷ (√v̂ + ε), both sides times the correction of √v: a division fewer an element
  const stepSize = (rate / (1 - beta1 ** step)) * correction;
  return [
    ...[gradientScale, fround(beta1), fround(1 - beta1), fround(beta2), fround(1 - beta2)],
    ...[1 - rate * decay, stepSize, epsilon * correction],
  ];
}

/**
 * The code of a value is found from its upper 16 bits: that of the least value which has them, or one of the next few.
 * The nearest code ascends with the value, so that the largest value of each code bounds it exactly.
 */
function writeTables(buffer: ArrayBuffer, at: number, map: Float32Array): void {
  new Float32Array(buffer, at, 256).set(map);
  const ends = new Float32Array(buffer, at + 4 * 256, 256);
  for (let code = 0; code < 255; code++) ends[code] = largestOf(map, code);
  ends[255] = Number.POSITIVE_INFINITY;
  const first = new Uint8Array(buffer, at + 8 * 256, 2 ** 16);
  for (let upper = 0; upper < first.length; upper++) {
    const least = upper < 2 ** 15 ? upper * 2 ** 16 : upper * 2 ** 16 + 0xffff;
    first[upper] = nearest(map, floatOf(least));
  }
}

const BITS = new Uint32Array(1);
const FLOAT = new Float32Array(BITS.buffer);

function floatOf(bits: number): number {
  BITS[0] = bits;
  return FLOAT[0] as number;
}

/** The float32 at a place in their order: 0 is −∞'s neighbour among the negative NaN, 2³¹ is 0. */
const inOrder = (place: number): number => floatOf(place >= 2 ** 31 ? place - 2 ** 31 : 2 ** 32 - 1 - place);

/** The largest float32 whose nearest value is that of `code`, or of a lower one; by bisection. */
function largestOf(map: Float32Array, code: number): number {
  // between −2 and 2
  let [low, high] = [2 ** 31 - 1 - 0x40000000, 2 ** 31 + 0x40000000];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (nearest(map, inOrder(middle)) <= code) low = middle;
    else high = middle;
  }
  return inOrder(low);
}

/**
 * The codes of an 8-bit state, ascending (bitsandbytes, `create_dynamic_map`): 256 values between dynamic exponents,
 * from −1 to 1, or from 0 for what has no sign.
 */
export function dynamicMap(signed: boolean): Float32Array {
  const exponents = 7;
  const values = [0, 1];
  for (let exponent = 0; exponent < exponents; exponent++) {
    const count = 2 ** (exponent + (signed ? 0 : 1));
    const scale = Math.fround(10 ** (exponent - exponents + 1));
    const bounds = linspace(count + 1);
    for (let i = 0; i < count; i++) {
      const mean = Math.fround(Math.fround((bounds[i] as number) + (bounds[i + 1] as number)) / 2);
      const value = Math.fround(scale * mean);
      values.push(value, ...(signed ? [-value] : []));
    }
  }
  return Float32Array.from(values).sort();
}

/** torch.linspace(0.1, 1, count) in float32: the second half is counted down from the end. */
function linspace(count: number): Float32Array {
  const [start, end] = [Math.fround(0.1), 1];
  const step = Math.fround(Math.fround(end - start) / (count - 1));
  return Float32Array.from({ length: count }, (_, i) =>
    i < count >> 1 ? start + step * i : end - step * (count - i - 1),
  );
}

/** Position of the nearest value of an ascending table; of two that are as near, the lower one. */
export function nearest(map: Float32Array, value: number): number {
  let [low, high] = [0, map.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((map[middle] as number) > value) high = middle;
    else low = middle;
  }
  return value - (map[low] as number) <= (map[high] as number) - value ? low : high;
}
