/** What is measured: an optimiser step of LoRA on every projection, over fresh weights, with random tokens. */
import type { ModelConfig } from '../src/models/types.js';

export type Case = ReturnType<typeof cases>[number];

export interface Measured {
  /** Median over the steps. */
  readonly tokensPerSecond: number;
  /** The most that was resident in the process once the model stood. */
  readonly peakBytes: number;
  /** Of the last step: about the logarithm of the vocabulary, or the two do not compute the same. */
  readonly loss: number;
}

const LLAMA = {
  architecture: 'llama',
  ...{ maxPositions: 2048, ropeTheta: 10_000, normEpsilon: 1e-5, tieEmbeddings: true },
  ...{ bosTokenId: null, eosTokenIds: [], padTokenId: null },
} as const;
const STARTER: ModelConfig = {
  ...{ ...LLAMA, vocabSize: 4096, hiddenSize: 192, intermediateSize: 512, layers: 6 },
  ...{ heads: 6, keyValueHeads: 2, headDim: 32 },
};
const SMOLLM2: ModelConfig = {
  ...{ ...LLAMA, vocabSize: 49_152, hiddenSize: 576, intermediateSize: 1536, layers: 30 },
  ...{ heads: 9, keyValueHeads: 3, headDim: 64 },
};

const SHAPES = [
  { model: 'starter', config: STARTER, rows: 16, length: 128 },
  { model: 'SmolLM2-135M', config: SMOLLM2, rows: 1, length: 256 },
  { model: 'SmolLM2-135M', config: SMOLLM2, rows: 1, length: 512 },
];

const METHODS = ['lora', 'qlora'] as const;
const RECOMPUTED = ['nothing', 'all'] as const;

export const cases = (steps: number, threads: number) =>
  SHAPES.flatMap((shape) =>
    METHODS.map((method) => ({ ...shape, method, rank: 16, steps, threads })),
  ).flatMap((half) => RECOMPUTED.map((recompute) => ({ ...half, recompute })));
