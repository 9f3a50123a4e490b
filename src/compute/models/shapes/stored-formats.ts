/** What some models are published in that no training computes with: how large their files are. */
import type { NamedShape } from '../architectures/blueprint.js';

interface Format {
  readonly title: string;
  /** The class of transformers that reads it, and makes other numbers of it. */
  readonly config: string;
  /** Bits of a number, scales included. */
  readonly bits: number;
  /** Names of the tensors that are stored so. */
  readonly tensors: RegExp;
}

const FORMATS = {
  /** Blocks of 32 numbers of 4 bits with a scale of 8 (OCP Microscaling Formats 1.0). */
  mxfp4: { title: 'MXFP4', config: 'Mxfp4Config', bits: 4.25, tensors: /\.experts\.\w+_proj$/ },
  /** Squares of 128 by 128 numbers with a scale of 32 bits (arXiv 2412.19437). */
  fp8: {
    title: 'FP8',
    config: 'FineGrainedFP8Config',
    bits: 8 + 32 / 128 ** 2,
    tensors: /^(?!vision_tower\.).*\.layers\.\d+\..*_proj(?:_with_mqa)?(?:\.weight)?$/,
  },
} as const satisfies Readonly<Record<string, Format>>;

export type StoredFormat = keyof typeof FORMATS;
export const STORED_FORMATS = ['mxfp4', 'fp8'] as const satisfies readonly StoredFormat[];

interface StoredWeights {
  /** As its makers call it. */
  readonly format: string;
  readonly config: string;
  readonly bytes: number;
}

/** Files of a model in such a format, whose other tensors are bfloat16. */
export function storedWeights(format: StoredFormat, tensors: readonly NamedShape[]): StoredWeights {
  const { title, config, bits, tensors: quantised } = FORMATS[format];
  const bytes = tensors.reduce((sum, { name, shape }) => {
    const count = shape.reduce((product, size) => product * size, 1);
    return sum + (count * (quantised.test(name) ? bits : 16)) / 8;
  }, 0);
  return { format: title, config, bytes: Math.ceil(bytes) };
}
