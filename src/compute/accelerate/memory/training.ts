/**
 * What a fine-tuning with PyTorch is, as far as its memory goes: enough to count bytes, whoever the trainer is. The driver of
 * this program is one of them, and presets describe others. Nothing here is measured on a device.
 */
import type { CountedBlock } from './counted.js';
import type { TorchShape } from './shape.js';

/** Of tensors in memory. */
export const DTYPE_BYTES = { float32: 4, bfloat16: 2, float16: 2 } as const;
export type Dtype = keyof typeof DTYPE_BYTES;

/**
 * How a weight is stored: bytes per number, with the constants of its quantisation. NF4 has a float32 scale per 64 numbers; of
 * two levels (`nf4-dq`) a byte per 64 and a float32 per 16,384 (Dettmers et al. 2023, arXiv 2305.14314); GPTQ in groups of 128
 * a float16 scale and a 4-bit zero.
 */
export const STORED_BYTES = {
  ...DTYPE_BYTES,
  int8: 1,
  nf4: 0.5 + 4 / 64,
  'nf4-dq': 0.5 + 1 / 64 + 4 / (64 * 256),
  gptq4: 0.5 + (2 + 0.5) / 128,
} as const;
export type Stored = keyof typeof STORED_BYTES;

/** Formats whose matrices are dequantised at every use, to the type that they compute in. */
export const isQuantised = (stored: Stored): boolean => !(stored in DTYPE_BYTES);

export interface StoredParts {
  /** Matrices of the blocks' linear layers. */
  readonly linear: Stored;
  readonly embedding: Dtype;
  readonly head: Stored;
  /** Norms, biases, and experts that are kept in one tensor. */
  readonly other: Dtype;
  /** A tied head has a matrix of its own. */
  readonly isHeadCopied?: boolean;
}

/** What is trained. */
export type Trained = { readonly kind: 'full'; readonly dtype: Dtype } | AdapterTraining;

export interface AdapterTraining {
  readonly kind: 'adapter';
  readonly dtype: Dtype;
  /** Numbers in all. */
  readonly parameters: number;
  /** Of them, those of whole layers that are trained in a copy, in a type of their own (`modules_to_save`). */
  readonly copies?: { readonly parameters: number; readonly dtype: Dtype };
  /** Of one block: each layer with factors, with its inputs, and the rank. */
  readonly targets: readonly AdapterTarget[];
  readonly dropout: number;
  /** Bytes of a mask of dropout per number: one on a GPU. */
  readonly maskBytes?: number;
  /** Of every block besides, per token. */
  readonly extraPerToken?: number;
  /** Blocks, from the first, through which nothing goes back. */
  readonly skippedBlocks?: number;
  /** What goes into the first block is trained, or comes from what is. */
  readonly reachesEmbedding?: boolean;
  /** Tokens whose keys and values are trained in every block. */
  readonly prefix?: number;
  /** Bytes that the layer with the most makes of its matrix while it computes. */
  readonly ofMatrix?: number;
  readonly experts?: AdaptedExpertsMemory;
}

/**
 * Experts that have factors: PEFT adds the product of these to the parameters of a block, and autograd saves the sums; what comes
 * back is a gradient of the whole sum.
 */
export interface AdaptedExpertsMemory {
  /** Numbers of these parameters in one block, and of their factors, which are cast to the type of the parameters. */
  readonly numbers: number;
  readonly factors: number;
  /** The most that gradients of the sums take beyond the sums that are freed by then. */
  readonly gradients: number;
  /** What they read, per token: of all experts that it is given to. */
  readonly inputs: number;
}

export interface AdapterTarget {
  /** Layers with the same name of input share the tensor that they read. */
  readonly reads: string;
  readonly inputs: number;
  readonly rank: number;
  /** Its inner activations beyond those of the factors, per token: bytes. */
  readonly extra?: number;
  /** The same, in numbers of the type that is computed in. */
  readonly extraNumbers?: number;
}

export interface OptimizerMemory {
  /** Bytes of state on the device per trained number. */
  readonly state: number;
  /** Bytes per trained number that exist during a step alone: one parameter's worth under `foreach`, none if fused. */
  readonly temporary: number;
  /** The most that it may be, bytes. */
  readonly mostTemporary?: number;
  /** Bytes per trained number of float32 master weights and of float32 gradients, as DeepSpeed keeps. */
  readonly master?: number;
  /** Weights are updated as soon as their gradient is there, which is then freed. */
  readonly isInBackward?: boolean;
}

/** Bytes per logit, `forward`: at the end of the forward pass; `backward`: at the start of the backward pass. */
export interface HeadCost {
  readonly forward: number;
  readonly backward: number;
  /** Of them, what stays until all gradients are there; default: nothing. */
  readonly kept?: number;
  /** Tokens whose logits exist at a time; default: all. */
  readonly chunk?: number;
  /** Bytes per number of the states of all tokens, and of those whose logits are computed; default: 4 and 0. */
  readonly states?: number;
  readonly inputs?: number;
}

export interface ShardingMemory {
  readonly kind: 'none' | 'ddp' | 'zero2' | 'zero3' | 'fsdp';
  readonly world: number;
  /** Shards lie in the host's memory while nothing needs them. */
  readonly isOffloaded?: boolean;
  /** Frozen weights are whole on every device. */
  readonly isFrozenWhole?: boolean;
  /** Trained numbers are sharded; default: as all. */
  readonly isTrainedWhole?: boolean;
  /** Constants of quantised weights are whole on every device. */
  readonly hasWholeConstants?: boolean;
  /** Blocks that are gathered at a time. */
  readonly gatheredBlocks?: number;
  /** Embeddings and head stay gathered until the backward pass is over, and the last block until it has begun. */
  readonly keepsRoot?: boolean;
  /** Bytes per gathered number, where it is not what is stored. */
  readonly gatheredBytes?: number;
  /** Numbers that stay gathered, whatever is computed. */
  readonly gatheredNumbers?: number;
  /** What is on the device when the model is cut: so many times the whole of it, and its shard. */
  readonly load?: { readonly whole: number; readonly shard: number };
  /** Flat buffers of the collectives, bytes. */
  readonly buffers?: number;
  /**
   * Inputs of recomputed frozen blocks and the gradients of these stay until the backward pass is over: FSDP of torch 2 hangs hooks
   * on the inputs (`_register_post_backward_reshard_only_hook`), which reentrant checkpointing has detached, and what these hooks
   * hold refers to itself until they are removed at the end.
   */
  readonly keepsInputGradients?: boolean;
}

export const ATTENTION_KERNELS = ['eager', 'sdpa', 'flash'] as const;
export type AttentionKernel = (typeof ATTENTION_KERNELS)[number];

export interface TorchTraining {
  readonly shape: TorchShape;
  readonly stored: StoredParts;
  readonly trained: Trained;
  /** What products are computed in. */
  readonly compute: Dtype;
  /** By torch's autocast: inputs of products are cast, and what is summed up stays as wide as it was. */
  readonly isAutocast: boolean;
  /** The stream between blocks. */
  readonly residual: Dtype;
  readonly attention: AttentionKernel;
  /** Default: a GPU. */
  readonly device?: 'cpu' | 'cuda';
  /** Masks make fused kernels repeat keys and values for all heads. */
  readonly isMasked?: boolean;
  /** Blocks, from the first, of which the input alone is saved. */
  readonly checkpointed: number;
  /** Their inputs lie in the host's memory. */
  readonly isCheckpointOffloaded?: boolean;
  readonly head: HeadCost;
  readonly optimizer: OptimizerMemory;
  /** Micro batches of a step: gradients are there while the next one is computed. */
  readonly accumulation: number;
  readonly sharding: ShardingMemory;
  /** The largest micro batch: rows, padded to one length. */
  readonly rows: number;
  readonly length: number;
  /** Batches have many lengths, each with tensors of its own sizes. */
  readonly isVaried?: boolean;
  /** Tokens whose logits are computed; default: all of the batch. */
  readonly predicted?: number;
  /** What kernels of quantised layers keep of their inputs, besides what autograd does. */
  readonly keepsQuantisedInputs?: boolean;
  /** Copies of the matrix that a quantised layer computes with, in its largest use, bytes per number. */
  readonly dequantised?: number;
  readonly evaluation?: EvaluationMemory;
  /** Another model, which is asked before this one is there: its weights, and what its `evaluation` says. */
  readonly asked?: TorchTraining;
  /** Of the versions that compute; default: the tables. */
  readonly counted?: CountedBlock;
  /** How much is known: of rows' lengths, versions, kernels. */
  readonly certainty?: Certainty;
}

/**
 * `counted`: lengths, versions and code are known; `estimated`: how other trainers share a model among devices, which was not
 * counted; `assumed`: lengths are upper bounds, or settings are not known.
 */
export type Certainty = 'counted' | 'estimated' | 'assumed';

/** A forward pass without gradients: validation within a training. */
export interface EvaluationMemory {
  readonly rows: number;
  readonly length: number;
  /** Tokens whose logits exist at a time, and bytes of each. */
  readonly predicted: number;
  readonly perLogit: number;
  /** Rows that are answered together: tokens of a prompt, and with the answer; bytes of the keys and values of a token. */
  readonly answers?: {
    readonly rows: number;
    readonly prompt: number;
    readonly tokens: number;
    readonly keysAndValues: number;
  };
}

export const PHASES = [
  'load',
  'head',
  'last_block',
  'first_block',
  'optimizer_step',
  'evaluation',
  'reference',
] as const;
export type Phase = (typeof PHASES)[number];

/** Bytes of the parts of a phase, on one device. */
export interface PhaseBytes {
  readonly phase: Phase;
  readonly parts: TorchParts;
  readonly bytes: number;
}

export const TORCH_PARTS = [
  'weights',
  'adapter',
  'gradients',
  'optimizer',
  'activations',
  'logits',
  'workspace',
] as const;
export type TorchPart = (typeof TORCH_PARTS)[number];
export type TorchParts = Readonly<Record<TorchPart, number>>;

export const NO_TORCH_PARTS: TorchParts = {
  weights: 0,
  adapter: 0,
  gradients: 0,
  optimizer: 0,
  activations: 0,
  logits: 0,
  workspace: 0,
};

export interface Range {
  readonly low: number;
  readonly high: number;
}

/** What a device has at its fullest. */
export interface TorchPeak {
  readonly phases: readonly PhaseBytes[];
  /** The phase with the most. */
  readonly peak: PhaseBytes;
  /** What tensors take (`max_memory_allocated`): a figure, and how far it may be off. */
  readonly allocated: Range & { readonly bytes: number };
  /** What the allocator takes for them (`max_memory_reserved`). */
  readonly reserved: Range;
  /** What the driver shows (`nvidia-smi`): with the context of CUDA, of its libraries and of NCCL. */
  readonly driver: Range;
  /** Of `driver`, what is outside of the allocator. */
  readonly context: Range;
}
