/** What is measured: an optimiser step of LoRA on every projection, over fresh weights, with given tokens. */

import type { LoraConfig } from '../../src/compute/models/adapters/config.js';
import { projectionsOfModel } from '../../src/compute/models/architectures/index.js';
import type { Precision } from '../../src/compute/models/decoder/types.js';
import type { ModelConfig } from '../../src/compute/models/types.js';

/** Rows of one length through one model. */
export interface Shape {
  readonly model: 'starter' | 'SmolLM2-135M';
  readonly config: ModelConfig;
  readonly rows: number;
  readonly length: number;
}

/** How a step is computed: by this program, or by transformers and PEFT. */
export type Way =
  | {
      readonly by: 'ftpc';
      readonly method: 'lora' | 'qlora';
      readonly checkpointedBlocks: number;
      readonly recomputedMlps?: number;
      readonly recomputedAttention?: number;
      readonly logitsChunk: number;
      /** A 4-bit base is held as float32. */
      readonly materialised?: boolean;
      /** Of matrix products; left out: `f32`. */
      readonly precision?: Precision;
    }
  | {
      readonly by: 'peft';
      readonly method: 'lora' | 'qlora';
      readonly mode: 'eager' | 'checkpointed' | 'compiled';
    };

/** One step in a process of its own. */
export interface Task extends Shape {
  readonly way: Way;
  readonly rank: number;
  /** Measured steps; one more comes before them. */
  readonly steps: number;
  readonly threads: number;
}

export interface Measured {
  /** Median over the steps. */
  readonly tokensPerSecond: number;
  /** The most that was resident in the process once the model was built. */
  readonly peakBytes: number;
  /** Of the last step: about the logarithm of the vocabulary, or the two do not compute the same. */
  readonly loss: number;
}

export const RANK = 16;

/** On every projection, without dropout. */
export function loraOf(config: ModelConfig): LoraConfig {
  const targets = [...new Set(projectionsOfModel(config).map(({ target }) => target))];
  return { kind: 'lora', rank: RANK, alpha: 2 * RANK, dropout: 0, targets };
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

const LENGTHS = [256, 512, 2048];
/** Of the small model alone: activations of the larger one would take more memory than most machines have. */
const LONG = 8192;

/** The shape that the targets refer to. */
export const TARGET: Shape = { model: 'SmolLM2-135M', config: SMOLLM2, rows: 1, length: 512 };

/** The small model takes several rows at a time, about as many tokens for every length but the longest. */
export const SHAPES: readonly Shape[] = [
  ...LENGTHS.map((length): Shape => ({ ...TARGET, length })),
  ...[...LENGTHS, LONG].map(
    (length): Shape => ({ model: 'starter', config: STARTER, rows: Math.ceil(2048 / length), length }),
  ),
];

const PEERS = ['eager', 'checkpointed', 'compiled'] as const;

export const peerWays: readonly Way[] = PEERS.map((mode) => ({ by: 'peft', method: 'lora', mode }));

/** LoRA and QLoRA, with nothing and with everything recomputed; QLoRA also as it is planned where memory is plenty. */
export function ownWays({ config }: Shape, logitsChunk: number): readonly Way[] {
  const way = (method: 'lora' | 'qlora', checkpointedBlocks: number, materialised = false): Way => ({
    ...{ by: 'ftpc', method, checkpointedBlocks, logitsChunk, materialised },
  });
  return [
    ...[way('lora', 0), way('lora', config.layers)],
    ...[way('qlora', 0, true), way('qlora', 0), way('qlora', config.layers)],
  ];
}

export function wayName({ config }: Shape, way: Way): string {
  if (way.by === 'peft') return `PEFT ${way.mode}`;
  const { checkpointedBlocks: blocks } = way;
  const recomputed = blocks === 0 ? 'nothing' : blocks === config.layers ? 'everything' : `${blocks} blocks`;
  const products = way.precision === 'bf16' ? ', products in bf16' : '';
  const once = way.materialised ? ', materialised' : '';
  return `${way.method}, ${recomputed} recomputed${once}${products}`;
}
