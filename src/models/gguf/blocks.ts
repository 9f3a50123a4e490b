import { float16Value } from '../weights/half.js';
import { decodeFloats } from '../weights/source.js';

/** A storage format of GGML: how many values and bytes a block has, and how blocks become float32. */
export interface BlockFormat {
  /** Number of the type in the file (ggml.h, `enum ggml_type`). */
  readonly type: number;
  readonly elements: number;
  readonly bytes: number;
  /** Decodes whole blocks. */
  readonly decode: (raw: Uint8Array) => Float32Array;
}

type BlockDecoder = (block: DataView, out: Float32Array, at: number) => void;

/** A block's scale or minimum, in half precision. */
function half(block: DataView, at: number): number {
  return float16Value(block.getUint16(at, true));
}

function blocks(type: number, elements: number, bytes: number, decodeBlock: BlockDecoder): BlockFormat {
  return {
    type,
    elements,
    bytes,
    decode(raw) {
      const out = new Float32Array((raw.byteLength / bytes) * elements);
      for (let block = 0; block * bytes < raw.byteLength; block++) {
        decodeBlock(new DataView(raw.buffer, raw.byteOffset + block * bytes, bytes), out, block * elements);
      }
      return out;
    },
  };
}

/** Bit `i` of the 32 fifth bits that follow a block's scales, as 16 or 0. */
function fifthBit(bits: number, i: number): number {
  return ((bits >>> i) & 1) << 4;
}

/** 6-bit scale and minimum of sub-block `j` of a K-quant (ggml-quants.c, `get_scale_min_k4`). */
function scaleAndMinimum(block: DataView, at: number, j: number): readonly [number, number] {
  const byte = (i: number): number => block.getUint8(at + i);
  if (j < 4) return [byte(j) & 63, byte(j + 4) & 63];
  return [(byte(j + 4) & 15) | ((byte(j - 4) >> 6) << 4), (byte(j + 4) >> 4) | ((byte(j) >> 6) << 4)];
}

/** Formats by name; the layouts are those of ggml-org/ggml, `ggml-common.h` and `ggml-quants.c`. */
export const BLOCKS = {
  F32: { type: 0, elements: 1, bytes: 4, decode: (raw: Uint8Array) => decodeFloats(raw, 'F32') },
  F16: { type: 1, elements: 1, bytes: 2, decode: (raw: Uint8Array) => decodeFloats(raw, 'F16') },
  BF16: { type: 30, elements: 1, bytes: 2, decode: (raw: Uint8Array) => decodeFloats(raw, 'BF16') },
  Q4_0: blocks(2, 32, 18, (block, out, at) => {
    const scale = half(block, 0);
    for (let i = 0; i < 16; i++) {
      const pair = block.getUint8(2 + i);
      out[at + i] = ((pair & 15) - 8) * scale;
      out[at + i + 16] = ((pair >> 4) - 8) * scale;
    }
  }),
  Q4_1: blocks(3, 32, 20, (block, out, at) => {
    const [scale, minimum] = [half(block, 0), half(block, 2)];
    for (let i = 0; i < 16; i++) {
      const pair = block.getUint8(4 + i);
      out[at + i] = (pair & 15) * scale + minimum;
      out[at + i + 16] = (pair >> 4) * scale + minimum;
    }
  }),
  Q5_0: blocks(6, 32, 22, (block, out, at) => {
    const scale = half(block, 0);
    const fifth = block.getUint32(2, true);
    for (let i = 0; i < 16; i++) {
      const pair = block.getUint8(6 + i);
      out[at + i] = (((pair & 15) | fifthBit(fifth, i)) - 16) * scale;
      out[at + i + 16] = (((pair >> 4) | fifthBit(fifth, i + 16)) - 16) * scale;
    }
  }),
  Q5_1: blocks(7, 32, 24, (block, out, at) => {
    const [scale, minimum] = [half(block, 0), half(block, 2)];
    const fifth = block.getUint32(4, true);
    for (let i = 0; i < 16; i++) {
      const pair = block.getUint8(8 + i);
      out[at + i] = ((pair & 15) | fifthBit(fifth, i)) * scale + minimum;
      out[at + i + 16] = ((pair >> 4) | fifthBit(fifth, i + 16)) * scale + minimum;
    }
  }),
  Q8_0: blocks(8, 32, 34, (block, out, at) => {
    const scale = half(block, 0);
    for (let i = 0; i < 32; i++) out[at + i] = block.getInt8(2 + i) * scale;
  }),
  Q4_K: blocks(12, 256, 144, (block, out, at) => {
    const [scale, minimum] = [half(block, 0), half(block, 2)];
    for (let i = 0; i < 256; i++) {
      const sub = i >> 5;
      const [factor, below] = scaleAndMinimum(block, 4, sub);
      const pair = block.getUint8(16 + (sub >> 1) * 32 + (i & 31));
      const code = sub % 2 === 0 ? pair & 15 : pair >> 4;
      out[at + i] = Math.fround(scale * factor) * code - Math.fround(minimum * below);
    }
  }),
  Q6_K: blocks(14, 256, 210, (block, out, at) => {
    const scale = half(block, 208);
    for (let i = 0; i < 256; i++) {
      const [part, quarter, column] = [i >> 7, (i >> 5) & 3, i & 31];
      const low = block.getUint8(part * 64 + (quarter & 1) * 32 + column);
      const high = (block.getUint8(128 + part * 32 + column) >> (2 * quarter)) & 3;
      const code = ((quarter < 2 ? low & 15 : low >> 4) | (high << 4)) - 32;
      out[at + i] = Math.fround(scale * block.getInt8(192 + part * 8 + quarter * 2 + (column >> 4))) * code;
    }
  }),
} as const satisfies Readonly<Record<string, BlockFormat>>;

export type GgufType = keyof typeof BLOCKS;

export const TYPE_NUMBERS: ReadonlyMap<number, GgufType> = new Map(
  (Object.keys(BLOCKS) as GgufType[]).map((name) => [BLOCKS[name].type, name]),
);
