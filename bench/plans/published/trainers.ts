/** Trainers whose memory is known, by what their code keeps. */

import type { DecoderFields } from '../../../src/compute/accelerate/memory/decoder-shape.js';
import type { BlockTraits, TorchShape } from '../../../src/compute/accelerate/memory/shape.js';
import type { AdapterRun } from './adapter-run.js';
import { ACCELERATE_FSDP, FMS } from './fms.js';
import type { Trainer } from './trainer.js';

/**
 * LitGPT fuses queries, keys and values, whose views keep the whole; keys and values of grouped queries are expanded to all heads.
 * GELU is torch's own.
 */
const litgptBlock = (traits: BlockTraits, { heads, keyValueHeads = heads }: DecoderFields): BlockTraits => ({
  ...traits,
  mlpSaved: traits.isGated ? 3 : 1,
  copiesOutput: false,
  fusedQkv: true,
  // torch 2.1 has no fused kernel for values that are one head's, expanded
  ...(keyValueHeads < heads ? { repeatsKeys: true, unfused: 2 } : {}),
});

/** LoRA over the fused matrix is put in its places by an index: the source is kept, unless it is all of it. */
function litgptExtra({ queries, keys }: TorchShape, { targets = [] }: AdapterRun): number {
  const all = ['q', 'k', 'v'].every((name) => targets.includes(name));
  return all ? 0 : 2 * (queries + keys);
}

const LITGPT: Trainer = {
  block: litgptBlock,
  head: 'litgpt',
  isAutocast: false,
  quantisesHead: true,
  isHeadCopied: true,
  loraExtra: litgptExtra,
  // bitsandbytes before 0.43 gives float16, which is then cast
  dequantised: 4,
  keepsQuantisedInputs: true,
  // FSDP of torch 2.1: every rank reads the checkpoint whole, and frozen weights stay gathered
  sharding: { load: { whole: 1.1, shard: 1.1 }, gatheredNumbers: Number.POSITIVE_INFINITY },
};

/**
 * DeepSpeed keeps up to 1e9 numbers gathered (`stage3_max_live_parameters`), and buckets of 2e8 for gathering and, two in turns,
 * for reducing.
 */
const DEEPSPEED = { gatheredNumbers: 1e9, buffers: 1.2e9 } as const;

export const TRAINERS = {
  ...FMS,
  /** Answer.AI's `train.py` of 2024: PEFT over FSDP, all in bfloat16 (transformers 4.38). */
  fsdp_qlora: { head: 'transformers<=4.45', isAutocast: false, sharding: ACCELERATE_FSDP },
  /** LitGPT of October 2023 to April 2024, with bitsandbytes 0.41 and 0.42, whose 4-bit layers keep their inputs. */
  litgpt: LITGPT,
  /** FSDP of torch 2.2 and 2.3, whose root unit, with embedding and head, stays gathered; the next block is gathered ahead. */
  'torchtune 2024': {
    head: 'torchtune 2024-04',
    isAutocast: false,
    isEstimated: true,
    sharding: { gatheredBlocks: 2, keepsRoot: true },
  },
  torchtune: { head: 'torchtune chunked', isAutocast: false, isEstimated: true },
  /** Qwen's `finetune.py` of 2023: transformers' Trainer, PEFT 0.4, AutoGPTQ; DeepSpeed where it shards. */
  'qwen 2023': {
    head: 'transformers<=4.45',
    adapters: 'float32',
    isAutocast: true,
    dequantised: 7,
    sharding: DEEPSPEED,
  },
  /** Transformers' Trainer before and around 2022, for encoders with a small head. */
  'transformers 2022': { head: 'none', isAutocast: false, isEstimated: true },
  /** TRL over PEFT of 2023, whose adapters have the type of an unquantised base. */
  'trl 2023': {
    head: 'transformers<=4.45',
    isAutocast: true,
    widensQuantised: true,
    quantisedAdapters: 'float32',
  },
  trl: {
    head: 'transformers>=4.50',
    isAutocast: true,
    adapters: 'float32',
    quantisedAdapters: 'float32',
    widensQuantised: true,
    sharding: DEEPSPEED,
    fsdp: ACCELERATE_FSDP,
  },
  /** Weights are read as float32 and computed with by autocast. */
  soup: { head: 'transformers 4.46-4.49', isAutocast: true, adapters: 'float32' },
  /** A plain loop over PEFT, without autocast. */
  'peft loop': { head: 'transformers>=4.50', isAutocast: false, adapters: 'float32' },
  /** … that holds outputs while gradients are computed. */
  'peft loop kept': { head: 'transformers>=4.50 kept', isAutocast: false, adapters: 'float32' },
  /** … over a base in 4 bits: `prepare_model_for_kbit_training`, and no autocast: all that is not quantised is float32. */
  'peft loop kbit': {
    head: 'transformers float32 kept',
    isAutocast: false,
    adapters: 'float32',
    dequantised: 2,
  },
  /** universal-llm-trainer: the same without a loss of transformers'; FSDP of torch 2.5 with a unit for each layer. */
  universal: {
    head: 'shifted copy',
    isAutocast: false,
    adapters: 'float32',
    sharding: { keepsInputGradients: true },
  },
  'universal kbit': { head: 'shifted copy float32', isAutocast: false, adapters: 'float32', dequantised: 2 },
  'peft loop 2023': { head: 'transformers<=4.45', isAutocast: false },
  'llama-factory': {
    head: 'transformers<=4.45',
    isAutocast: true,
    quantisedAdapters: 'float32',
    widensQuantised: true,
  },
  /** Embeddings and norms are bfloat16 again before the first step, as flash attention and cut cross entropy ask for. */
  axolotl: {
    head: 'transformers>=4.50',
    isAutocast: true,
    adapters: 'float32',
    quantisedAdapters: 'float32',
    isEstimated: true,
    sharding: DEEPSPEED,
    fsdp: ACCELERATE_FSDP,
  },
  /** Its own kernels: activations of checkpointed blocks go to the host, losses take the place of logits. */
  unsloth: {
    head: 'unsloth',
    isAutocast: true,
    adapters: 'float32',
    offloadsCheckpoints: true,
    isEstimated: true,
  },
  /** FSDP2 over float32 weights, gathered in bfloat16. */
  xtuner: {
    head: 'chunk of 1024',
    isAutocast: false,
    hasMasterWeights: true,
    sharding: { gatheredBytes: 2 },
  },
} as const satisfies Readonly<Record<string, Trainer>>;
export type TrainerName = keyof typeof TRAINERS;
