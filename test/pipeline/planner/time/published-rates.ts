/** Published speeds of trainings: the project, its table or configuration, and what is said there. Tokens are padded ones. */
import type { ModelConfig } from '../../../../src/compute/models/types.js';

export interface PublishedRate {
  readonly source: string;
  readonly machine: string;
  readonly model: ModelConfig;
  readonly method: 'full' | 'lora' | 'qlora';
  readonly rows: number;
  readonly length: number;
  /** Rank, and layers of a block that have an adapter. */
  readonly rank?: number;
  readonly targets?: number;
  readonly recomputed: boolean;
  readonly devices?: number;
  readonly nodes?: number;
  readonly sharding?: 'fsdp';
  /** Micro batches of a step. */
  readonly accumulation?: number;
  /** Tokens per second of all devices. */
  readonly measured: number;
}

const decoder = (
  hiddenSize: number,
  layers: number,
  intermediateSize: number,
  vocabSize: number,
  [heads, keyValueHeads]: readonly [number, number],
): ModelConfig => ({
  architecture: 'llama',
  vocabSize,
  hiddenSize,
  intermediateSize,
  layers,
  heads,
  keyValueHeads,
  headDim: hiddenSize / heads,
  maxPositions: 65_536,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
  tieEmbeddings: false,
  bosTokenId: null,
  eosTokenIds: [],
  padTokenId: null,
});

const QWEN_7B = decoder(4096, 32, 11_008, 151_936, [32, 32]);
const LLAMA2_7B = decoder(4096, 32, 11_008, 32_000, [32, 32]);
const LLAMA31_8B = decoder(4096, 32, 14_336, 128_256, [32, 8]);
const LLAMA31_70B = decoder(8192, 80, 28_672, 128_256, [64, 8]);
const LLAMA32_3B = { ...decoder(3072, 28, 8192, 128_256, [24, 8]), tieEmbeddings: true };
/** MPT has an MLP without a gate, four times as wide: the same weights as a gated one of 8/3. */
const mpt = (hidden: number, layers: number, heads: number): ModelConfig =>
  decoder(hidden, layers, Math.round((hidden * 8) / 3), 50_368, [heads, heads]);
const MPT = {
  '1b': mpt(2048, 24, 16),
  '3b': mpt(2560, 32, 20),
  '7b': mpt(4096, 32, 32),
  '13b': mpt(5120, 40, 40),
  '30b': mpt(7168, 48, 56),
  '70b': mpt(8192, 80, 64),
} as const;

/** QwenLM/Qwen, README, profiling of Qwen-7B: batch 1, accumulation 8, all blocks recomputed. Seconds per iteration. */
const qwen = (length: number, seconds: number): PublishedRate => ({
  source: `QwenLM/Qwen README, LoRA ${length}`,
  machine: 'a100_sxm_80gb',
  model: QWEN_7B,
  method: 'lora',
  rows: 1,
  length,
  rank: 64,
  targets: 7,
  recomputed: true,
  accumulation: 8,
  measured: (8 * length) / seconds,
});

/** mosaicml/llm-foundry, scripts/train/benchmarking/README.md, tokens per second of all devices. */
const foundry = (
  machine: string,
  size: keyof typeof MPT,
  [length, gpus, rows, accumulation]: readonly [number, number, number, number],
  recomputed: boolean,
  measured: number,
): PublishedRate => ({
  source: `llm-foundry ${size} ${length} on ${gpus}`,
  machine,
  model: MPT[size],
  method: 'full',
  rows,
  length,
  recomputed,
  devices: Math.min(8, gpus),
  nodes: Math.max(1, gpus / 8),
  sharding: 'fsdp',
  accumulation,
  measured,
});

const TORCHTUNE = 'torchtune README';

export const PUBLISHED_RATES: readonly PublishedRate[] = [
  qwen(256, 1.2),
  qwen(512, 1.5),
  qwen(1024, 2.8),
  qwen(2048, 5.2),
  qwen(4096, 10.1),
  qwen(8192, 21.3),
  {
    ...{
      source: 'LLaMA-Factory README, 16 bits',
      machine: 'a100_sxm_40gb',
      model: LLAMA2_7B,
      method: 'lora',
    },
    ...{ rows: 4, length: 1024, rank: 8, targets: 2, recomputed: true, accumulation: 2, measured: 2954 },
  },
  {
    ...{
      source: 'LLaMA-Factory README, 4 bits',
      machine: 'a100_sxm_40gb',
      model: LLAMA2_7B,
      method: 'qlora',
    },
    ...{ rows: 4, length: 1024, rank: 8, targets: 2, recomputed: true, accumulation: 2, measured: 2415 },
  },
  {
    ...{ source: `${TORCHTUNE}, LoRA`, machine: 'rtx_4090', model: LLAMA31_8B, method: 'lora' },
    ...{ rows: 2, length: 2048, rank: 8, targets: 7, recomputed: true, accumulation: 8, measured: 3083 },
  },
  {
    ...{ source: `${TORCHTUNE}, QLoRA`, machine: 'rtx_4090', model: LLAMA31_8B, method: 'qlora' },
    ...{ rows: 2, length: 2048, rank: 8, targets: 7, recomputed: true, accumulation: 8, measured: 2413 },
  },
  {
    ...{ source: `${TORCHTUNE}, 70B LoRA`, machine: 'a100_sxm_80gb', model: LLAMA31_70B, method: 'lora' },
    ...{
      rows: 2,
      length: 2048,
      rank: 16,
      targets: 7,
      recomputed: true,
      devices: 8,
      sharding: 'fsdp',
      measured: 3497,
    },
  },
  {
    ...{
      source: `${TORCHTUNE}, 3B full, packed`,
      machine: 'a100_sxm_80gb',
      model: LLAMA32_3B,
      method: 'full',
    },
    ...{ rows: 2, length: 4096, recomputed: false, measured: 7075 },
  },
  {
    ...{ source: `${TORCHTUNE}, 3B LoRA`, machine: 'a100_sxm_80gb', model: LLAMA32_3B, method: 'lora' },
    ...{ rows: 2, length: 4096, rank: 64, targets: 7, recomputed: true, measured: 8210 },
  },
  foundry('h100_sxm', '70b', [2048, 64, 8, 4], true, 66_523),
  foundry('h100_sxm', '30b', [2048, 8, 3, 21], true, 16_022),
  foundry('h100_sxm', '30b', [8192, 8, 1, 21], true, 11_072),
  foundry('h100_sxm', '13b', [2048, 8, 2, 1], false, 38_336),
  foundry('h100_sxm', '13b', [16_384, 8, 3, 3], true, 23_881),
  foundry('h100_sxm', '7b', [2048, 8, 6, 1], false, 85_144),
  foundry('h100_sxm', '7b', [32_768, 8, 2, 2], true, 26_550),
  foundry('h100_sxm', '3b', [2048, 16, 10, 3], false, 386_285),
  foundry('h100_sxm', '3b', [8192, 8, 3, 6], false, 132_626),
  foundry('h100_sxm', '1b', [2048, 8, 14, 1], false, 363_645),
  foundry('h100_sxm', '1b', [16_384, 8, 2, 4], false, 157_194),
  foundry('a100_sxm_80gb', '70b', [2048, 64, 8, 4], true, 26_274),
  foundry('a100_sxm_80gb', '30b', [2048, 8, 3, 21], true, 7330),
  foundry('a100_sxm_80gb', '30b', [8192, 8, 1, 21], true, 4594),
  foundry('a100_sxm_80gb', '13b', [2048, 8, 2, 3], false, 18_097),
  foundry('a100_sxm_80gb', '7b', [2048, 8, 6, 2], false, 37_130),
  foundry('a100_sxm_80gb', '7b', [32_768, 8, 2, 2], true, 13_382),
  foundry('a100_sxm_80gb', '3b', [2048, 8, 10, 2], false, 86_491),
  foundry('a100_sxm_80gb', '1b', [2048, 8, 14, 4], false, 164_109),
];
