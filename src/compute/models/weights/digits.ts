/**
 * GGML's blocks of codes (ggml-org/ggml, ggml-common.h and ggml-quants.c) as digits of 4 bits: what a product reads that takes
 * weights as they are stored: value = scale · (code − zero) + offset, and a code of more than 4 bits is
 * 16 · (upper digit − zero ÷ 16) + (lower digit − zero mod 16). Where there are offsets, any zero will do: {@link MIDDLE} is the one
 * that products take where they are given no other.
 */
import type { CodeMatrix } from '../../tensor/types.js';
import { dequantiseBlocks } from './dequantisation.js';
import { BLOCKS, type BlockFormat, type StoredFormat } from './formats.js';

/** What is read of blocks. */
interface BlockParts {
  /** One byte for each value. */
  readonly codes: Uint8Array;
  /** For each part of a block that shares a scale. */
  readonly scales: Float32Array;
  readonly offsets: Float32Array;
}

interface CodedFormat {
  readonly bits: number;
  /** Values that share a scale. */
  readonly block: number;
  /** What is taken from codes. */
  readonly zero: number;
  readonly hasOffsets?: true;
  /** Reads the block at a place: its codes from `code` on, its scales and offsets (what code 0 means) from `scale` on. */
  readonly read: (bytes: Uint8Array, at: number, parts: BlockParts, code: number, scale: number) => void;
}

let halves: Float32Array | undefined;

/** Every float16, by its bits. */
function allHalves(): Float32Array {
  if (halves !== undefined) return halves;
  const bits = Uint16Array.from({ length: 1 << 16 }, (_, each) => each);
  halves = new Float32Array(bits.length);
  dequantiseBlocks('F16', new Uint8Array(bits.buffer), 0, halves);
  return halves;
}

/** The float16 at a place. */
const half = (bytes: Uint8Array, at: number): number =>
  allHalves()[(bytes[at] as number) | ((bytes[at + 1] as number) << 8)] as number;

/** 32 codes, the first half in the lower halves of 16 bytes. */
function readPairs(bytes: Uint8Array, at: number, codes: Uint8Array, to: number): void {
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + i] as number;
    codes[to + i] = pair & 15;
    codes[to + i + 16] = pair >> 4;
  }
}

/** Adds the fifth bits of 32 codes, one after the other. */
function addFifth(bytes: Uint8Array, at: number, codes: Uint8Array, to: number): void {
  for (let i = 0; i < 32; i++)
    codes[to + i] = (codes[to + i] as number) | ((((bytes[at + (i >> 3)] as number) >> (i & 7)) & 1) << 4);
}

/** Scale and minimum of 6 bits of sub-block j (ggml-quants.c, get_scale_min_k4). */
function sixBits(bytes: Uint8Array, at: number, j: number): readonly [scale: number, minimum: number] {
  const byte = (index: number): number => bytes[at + index] as number;
  return j < 4
    ? [byte(j) & 63, byte(j + 4) & 63]
    : [(byte(j + 4) & 15) | ((byte(j - 4) >> 6) << 4), (byte(j + 4) >> 4) | ((byte(j) >> 6) << 4)];
}

/** Q4_K and Q5_K: 8 sub-blocks of 32; `pairs`: where the lower 4 bits begin, `fifth`: where the fifth ones do. */
function readSubBlocks(
  bytes: Uint8Array,
  at: number,
  { codes, scales, offsets }: BlockParts,
  to: { readonly code: number; readonly scale: number },
  pairs: number,
  fifth?: number,
): void {
  const [ofScales, ofMinimums] = [half(bytes, at), half(bytes, at + 2)];
  for (let j = 0; j < 8; j++) {
    const [scale, minimum] = sixBits(bytes, at + 4, j);
    scales[to.scale + j] = ofScales * scale;
    offsets[to.scale + j] = -(ofMinimums * minimum);
    const from = at + pairs + 32 * (j >> 1);
    for (let i = 0; i < 32; i++) {
      const high = fifth === undefined ? 0 : (((bytes[at + fifth + i] as number) >> j) & 1) << 4;
      codes[to.code + 32 * j + i] = (((bytes[from + i] as number) >> (4 * (j & 1))) & 15) | high;
    }
  }
}

/** Of the codes of 4 bits. */
const MIDDLE = 8;

const FORMATS = {
  Q4_0: {
    ...{ bits: 4, block: 32, zero: 8 },
    read(bytes, at, { codes, scales }, code, scale) {
      scales[scale] = half(bytes, at);
      readPairs(bytes, at + 2, codes, code);
    },
  },
  Q4_1: {
    ...{ bits: 4, block: 32, zero: MIDDLE, hasOffsets: true },
    read(bytes, at, { codes, scales, offsets }, code, scale) {
      scales[scale] = half(bytes, at);
      offsets[scale] = half(bytes, at + 2);
      readPairs(bytes, at + 4, codes, code);
    },
  },
  Q5_0: {
    ...{ bits: 5, block: 32, zero: 16 },
    read(bytes, at, { codes, scales }, code, scale) {
      scales[scale] = half(bytes, at);
      readPairs(bytes, at + 6, codes, code);
      addFifth(bytes, at + 2, codes, code);
    },
  },
  Q5_1: {
    ...{ bits: 5, block: 32, zero: MIDDLE, hasOffsets: true },
    read(bytes, at, { codes, scales, offsets }, code, scale) {
      scales[scale] = half(bytes, at);
      offsets[scale] = half(bytes, at + 2);
      readPairs(bytes, at + 8, codes, code);
      addFifth(bytes, at + 4, codes, code);
    },
  },
  Q8_0: {
    ...{ bits: 8, block: 32, zero: 128 },
    read(bytes, at, { codes, scales }, code, scale) {
      scales[scale] = half(bytes, at);
      // a signed byte and 128
      for (let i = 0; i < 32; i++) codes[code + i] = (bytes[at + 2 + i] as number) ^ 128;
    },
  },
  Q4_K: {
    ...{ bits: 4, block: 32, zero: MIDDLE, hasOffsets: true },
    read: (bytes, at, parts, code, scale) => readSubBlocks(bytes, at, parts, { code, scale }, 16),
  },
  Q5_K: {
    ...{ bits: 5, block: 32, zero: MIDDLE, hasOffsets: true },
    read: (bytes, at, parts, code, scale) => readSubBlocks(bytes, at, parts, { code, scale }, 48, 16),
  },
  Q6_K: {
    ...{ bits: 6, block: 16, zero: 32 },
    read(bytes, at, { codes, scales }, code, scale) {
      const ofScales = half(bytes, at + 208);
      for (let k = 0; k < 16; k++) {
        scales[scale + k] = ofScales * (((bytes[at + 192 + k] as number) << 24) >> 24);
        // k: half of the block, quarter of that, half of the quarter
        const [low, high] = [64 * (k >> 3) + 16 * (k & 3), 128 + 32 * (k >> 3) + 16 * (k & 1)];
        for (let i = 0; i < 16; i++)
          codes[code + 16 * k + i] =
            (((bytes[at + low + i] as number) >> (k & 4)) & 15) |
            ((((bytes[at + high + i] as number) >> (k & 6)) & 3) << 4);
      }
    },
  },
} as const satisfies Readonly<Partial<Record<BlockFormat, CodedFormat>>>;

export type CodedName = keyof typeof FORMATS;

/** Whether values of a format are codes. */
export const isCoded = (format: StoredFormat): format is CodedName => Object.hasOwn(FORMATS, format);

const digitsOf = ({ bits }: CodedFormat): number => Math.ceil(bits / 4);

/** Bytes of the {@link CodeMatrix} of a tensor. */
export function codeBytes(format: CodedName, values: number): number {
  const coded: CodedFormat = FORMATS[format];
  const perBlock = 4 * (digitsOf(coded) + (coded.hasOffsets === true ? 1 : 0));
  return (digitsOf(coded) * values) / 2 + (values / coded.block) * perBlock;
}

/** Values that share a scale, and what is taken from each digit. */
export function digitsLike(
  format: CodedName,
): Pick<CodedFormat, 'block'> & { readonly zeros: readonly number[] } {
  const coded: CodedFormat = FORMATS[format];
  const zeros = Array.from({ length: digitsOf(coded) }, (_, digit) => zeroOf(coded.zero, digit));
  return { block: coded.block, zeros };
}

const zeroOf = (zero: number, digit: number): number => (zero >> (4 * digit)) & 15;

/** Values that are read at a time: what they are made of stays in a cache of the processor. */
const WINDOW = 1 << 14;

/** A matrix `[rows, columns]` whose rows are whole blocks. */
export function codeMatrix(format: CodedName, shape: readonly number[], bytes: Uint8Array): CodeMatrix {
  const coded: CodedFormat = FORMATS[format];
  const { block, zero, hasOffsets = false, read } = coded;
  const { values, bytes: size } = BLOCKS[format];
  const count = bytes.byteLength / size;
  const perBlock = values / block;
  const codes = new Uint8Array(WINDOW);
  const scales = new Float32Array(count * perBlock);
  const offsets = new Float32Array(hasOffsets ? scales.length : 0);
  const parts = { codes, scales, offsets };
  const planes = Array.from({ length: digitsOf(coded) }, () => new Uint8Array((count * values) / 2));
  const step = WINDOW / values;
  for (let first = 0; first < count; first += step) {
    const some = Math.min(step, count - first);
    for (let i = 0; i < some; i++) read(bytes, (first + i) * size, parts, i * values, (first + i) * perBlock);
    planes.forEach((plane, digit) => {
      pack(codes, some * values, 4 * digit, plane, (first * values) / 2);
    });
  }
  for (let i = 0; i < offsets.length; i++) offsets[i] = (offsets[i] as number) + zero * (scales[i] as number);
  const digits = planes.map((plane, digit) => ({
    codes: plane,
    scales: digit === 0 ? scales : scales.map((scale) => 16 ** digit * scale),
    zero: zeroOf(zero, digit),
  }));
  return { form: 'digits', shape, block, digits, ...(hasOffsets && { offsets }) };
}

/** The digits of `count` codes that begin at a bit of them, two per byte. */
function pack(codes: Uint8Array, count: number, bit: number, plane: Uint8Array, to: number): void {
  const pairs = new Uint16Array(codes.buffer, 0, count / 2);
  for (let i = 0; i < pairs.length; i++) {
    const pair = (pairs[i] as number) >> bit;
    plane[to + i] = (pair & 15) | ((pair >> 4) & 240);
  }
}
