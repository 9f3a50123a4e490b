/**
 * The benchmark of fms-acceleration: transformers' Trainer of 4.45 and 4.48 over PEFT 0.12 and 0.13, by what a configuration
 * switches on. Its adapters are float32; without `bf16` or `fp16`, nothing is cast by autocast.
 */

import type { DecoderFields } from '../../../src/compute/accelerate/memory/decoder-shape.js';
import type { BlockTraits, TorchShape } from '../../../src/compute/accelerate/memory/shape.js';
import type { AdapterRun } from './adapter-run.js';
import type { Trainer } from './trainer.js';

/** FSDP of torch 2 as accelerate sets it up: the root unit stays gathered, and checkpointing is reentrant. */
export const ACCELERATE_FSDP = { keepsRoot: true, keepsInputGradients: true } as const;

/** Mistral's flash attention of 4.45 repeats keys and values. */
const attention45 = (traits: BlockTraits, { type }: DecoderFields): BlockTraits =>
  type === 'mistral' ? { ...traits, repeatsKeys: true } : traits;

const experts = (traits: BlockTraits): BlockTraits => ({ ...traits, linearExperts: true });
/** Unsloth's kernel of RMS norms. */
const fused = (traits: BlockTraits): BlockTraits => ({ ...experts(traits), fusedNorms: true });
const fused45 = (traits: BlockTraits, model: DecoderFields): BlockTraits => attention45(fused(traits), model);

/** Unsloth's LoRA: queries, keys and values share one dropped input, and inner activations are made anew. */
const fusedLora = ({ hidden }: TorchShape, { rank = 8, targets = [] }: AdapterRun): number =>
  -2 * (hidden + rank * targets.length);

const BASE = {
  head: 'transformers 4.46-4.49',
  block: experts,
  isAutocast: true,
  adapters: 'float32',
  quantisedAdapters: 'float32',
  sharding: ACCELERATE_FSDP,
} as const satisfies Trainer;

/** `prepare_model_for_kbit_training`, after which TRL casts what is trained to bfloat16. */
const KBIT = { widensQuantised: true, adapters: 'bfloat16', quantisedAdapters: 'bfloat16' } as const;

/** Under FSDP with `bf16`, accelerate makes what is trained float32, and products take gathered bfloat16. */
const MASTER = {
  isAutocast: false,
  hasMasterWeights: true,
  sharding: { ...ACCELERATE_FSDP, gatheredBytes: 2 },
} as const;

const OF_45 = { ...BASE, head: 'transformers<=4.45' } as const satisfies Trainer;

export const FMS = {
  'fms 4.48': BASE,
  'fms 4.48 pure': { ...BASE, isAutocast: false },
  'fms 4.48 kbit': { ...BASE, ...KBIT },
  'fms 4.48 fused pure': { ...BASE, block: fused, isAutocast: false },
  'fms 4.48 fused lora': { ...BASE, block: fused, loraExtra: fusedLora },
  'fms 4.45': OF_45,
  'fms 4.45 pure': { ...OF_45, isAutocast: false },
  'fms 4.45 kbit': { ...OF_45, ...KBIT },
  'fms 4.45 fused': { ...OF_45, block: fused45 },
  'fms 4.45 fused pure': { ...OF_45, block: fused45, isAutocast: false },
  'fms 4.45 fused lora': { ...OF_45, block: fused45, loraExtra: fusedLora },
  'fms 4.45 fused master': { ...OF_45, ...MASTER, block: fused45 },
} as const satisfies Readonly<Record<string, Trainer>>;
