/**
 * Random numbers as a pure function of (seed, stream, index): nothing to save in a checkpoint, and every value can be
 * made in any order. Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 */
import { NORMAL_KERNEL } from '../tensor/kernels.generated.js';
import { createMemory, startModule } from '../tensor/webassembly.js';

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

type Words = readonly [number, number, number, number];

/** Four 32-bit words from a 128-bit counter and a 64-bit key. */
export function philox(counter: Words, key: readonly [number, number]): Words {
  let [a, b, c, d] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = multiply(MULTIPLIER_0, a);
    const [high1, low1] = multiply(MULTIPLIER_1, c);
    [a, b, c, d] = [(high1 ^ b ^ k0) >>> 0, low1, (high0 ^ d ^ k1) >>> 0, low0];
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [a, b, c, d];
}

/** Upper and lower half of a 64-bit product. */
function multiply(x: number, y: number): readonly [number, number] {
  const low = Math.imul(x, y) >>> 0;
  const [xh, xl, yh, yl] = [x >>> 16, x & 0xffff, y >>> 16, y & 0xffff];
  const middle = xh * yl + Math.floor((xl * yl) / 65536);
  const carry = (middle % 65536) + xl * yh;
  const high = xh * yh + Math.floor(middle / 65536) + Math.floor(carry / 65536);
  return [high >>> 0, low];
}

/** The counter of a block of a stream; streams are told apart by their names. */
const counterOf = (stream: string, block: number): Words => [
  block >>> 0,
  Math.floor(block / 2 ** 32),
  hash(stream, 0),
  hash(stream, 0x5bd1e995),
];

const keyOf = (seed: number): readonly [number, number] => [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];

/** 32 random bits for each index of a stream. */
const words = (seed: number, stream: string, block: number): Words =>
  philox(counterOf(stream, block), keyOf(seed));

/** FNV-1a with a murmur finish. */
function hash(text: string, start: number): number {
  let state = (0x811c9dc5 ^ start) >>> 0;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193) >>> 0;
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  return (state ^ (state >>> 13)) >>> 0;
}

/** Uniform in [0, 1) with 32 bits. */
export const uniform = (seed: number, stream: string, index: number): number =>
  (words(seed, stream, Math.floor(index / 4))[index % 4] ?? 0) / 2 ** 32;

/** Fills with uniform values from [low, high): element i is `low + (high − low)·uniform(seed, stream, i)`. */
export function fillUniform(
  out: Float32Array,
  seed: number,
  stream: string,
  low: number,
  high: number,
): void {
  for (let start = 0; start < out.length; start += 4) {
    const four = words(seed, stream, start / 4);
    for (let i = 0; i < 4 && start + i < out.length; i++) {
      out[start + i] = low + ((four[i] ?? 0) / 2 ** 32) * (high - low);
    }
  }
}

/** Where the values come from: seed, name of the stream, and their standard deviation. */
type Normal = readonly [seed: number, stream: string, deviation: number];

/**
 * Fills with normal values of mean 0 (Box and Muller, 1958); `out[0]` is value `first` of the stream. Long runs are
 * made by a kernel, which leaves what its last bits may decide to be made here: the values are the same.
 */
export function fillNormal(
  out: Float32Array,
  seed: number,
  stream: string,
  deviation: number,
  first = 0,
): void {
  const normal = [seed, stream, deviation] as const;
  const lead = Math.min(out.length, (GROUP - (first % GROUP)) % GROUP);
  const groups = Math.floor((out.length - lead) / GROUP);
  if (groups < WORTH_A_CALL) {
    fillPlain(out, normal, first);
    return;
  }
  const end = lead + groups * GROUP;
  fillPlain(out.subarray(0, lead), normal, first);
  for (let at = lead, next = at; at < end; at = next) {
    // calls begin at multiples of what they make at most, and so does a new upper word of the counters
    next = Math.min(end, at + CALL_VALUES - ((first + at) % CALL_VALUES));
    fillGroups(out.subarray(at, next), normal, first + at);
  }
  fillPlain(out.subarray(end), normal, first + end);
}

/** Values of four counters, which a kernel makes at a time; and how many of them are made in a call, and are worth one. */
const GROUP = 16;
const CALL_GROUPS = 2048;
const CALL_VALUES = GROUP * CALL_GROUPS;
const WORTH_A_CALL = 8;

interface NormalMemory {
  readonly values: Float32Array;
  readonly doubtful: Int32Array;
  readonly fill: (...args: readonly number[]) => number;
}

const VALUES = 0;
const DOUBTFUL = VALUES + 4 * CALL_VALUES;
const WORK = DOUBTFUL + 4 * CALL_GROUPS;
/** What the kernel works in: 14 KiB and the keys of ten rounds. */
const WORK_BYTES = 14 * 1024 + 10 * 32;

let shared: NormalMemory | undefined;

function memory(): NormalMemory {
  if (shared !== undefined) return shared;
  const allocated = createMemory(WORK + WORK_BYTES);
  const fill = startModule(NORMAL_KERNEL, allocated)['normal'] as NormalMemory['fill'];
  shared = {
    values: new Float32Array(allocated.buffer, VALUES, CALL_VALUES),
    doubtful: new Int32Array(allocated.buffer, DOUBTFUL, CALL_GROUPS),
    fill,
  };
  return shared;
}

/** Whole groups of one call; `first` is a multiple of a group's values. */
function fillGroups(out: Float32Array, normal: Normal, first: number): void {
  const [seed, stream, deviation] = normal;
  const { values, doubtful, fill } = memory();
  const groups = out.length / GROUP;
  const [low, high, ...names] = counterOf(stream, first / 4);
  const place = [VALUES, groups, low, high, ...names, ...keyOf(seed), deviation, DOUBTFUL, WORK];
  const found = fill(...place);
  out.set(values.subarray(0, out.length));
  for (const group of doubtful.subarray(0, found)) {
    const at = group * GROUP;
    fillPlain(out.subarray(at, at + GROUP), normal, first + at);
  }
}

/** The definition of {@link fillNormal}. */
export function fillPlain(out: Float32Array, [seed, stream, deviation]: Normal, first: number): void {
  const lead = first % 4;
  for (let start = -lead; start < out.length; start += 4) {
    const four = words(seed, stream, (first + start) / 4);
    for (let i = Math.max(0, -start); i < 4 && start + i < out.length; i++) {
      const pair = i & 2;
      // One minus a value in [0, 1) is never 0, so the logarithm is finite.
      const radius = Math.sqrt(-2 * Math.log(1 - (four[pair] ?? 0) / 2 ** 32));
      const angle = (2 * Math.PI * (four[pair + 1] ?? 0)) / 2 ** 32;
      out[start + i] = deviation * radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
    }
  }
}
