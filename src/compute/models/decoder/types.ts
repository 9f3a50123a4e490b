/** The block-by-block driver of a decoder: what training, evaluation, merge and generation run. */
import type { Graph, Runtime, Tensor } from '../../tensor/types.js';
import type { AdapterConfig } from '../adapters/config.js';
import type { Adapter, ModelConfig, WeightStore } from '../types.js';
import type { DequantisingThread } from '../weights/dequantising-threads.js';

/** Rows of one micro batch, right-padded to one length. */
export interface Batch {
  readonly rows: number;
  readonly length: number;
  /** `[rows, length]` */
  readonly ids: Int32Array;
  /**
   * `[rows, length]`; the token at each position, or -100 if it is not supervised. Position t predicts t+1. For a
   * classifier: the class of a text at its last token, -100 elsewhere.
   */
  readonly labels: Int32Array;
  /** `[rows, length]`: how much the loss of each supervised token counts; default: 1. */
  readonly weights?: Float32Array;
  /**
   * `[rows, length]`, for packed rows: the index of the text that each token belongs to, ascending within a row. Tokens
   * attend only to their own text, and positions count from its start.
   */
  readonly segments?: Int32Array;
  /**
   * `[rows, length]`, for rows of texts that begin alike: what they share, and then what each goes on with, one after
   * the other. Which of these each token is part of, by the numbers of `FORK`; positions of all texts go on from what
   * is shared. No window may be shorter than a row.
   */
  readonly forks?: Int32Array;
  /** Tokens of each row without its padding, for rows of one text each. Default: `length`. */
  readonly lengths?: readonly number[];
  /**
   * Upper bound for the tokens of a text in a packed row; attention looks no further back. If it is the same for every
   * batch, fewer graphs are compiled. Default: `length`.
   */
  readonly longestText?: number;
}

/** What is trained: an adapter over frozen weights, every weight, or nothing. */
type Trainable = 'adapter' | 'full' | 'none';

/**
 * How matrix products are computed: in float32, or with inputs and results rounded to bfloat16, as under PyTorch's
 * autocast. Trained tensors, norms, softmax, loss and optimiser are float32 either way.
 */
export type Precision = 'f32' | 'bf16';

/** How many blocks, from the first on, recompute what in the backward pass. Does not change results. */
export interface Recomputation {
  /** Everything except their input. */
  readonly checkpointedBlocks: number;
  /** At least their MLP; default: `checkpointedBlocks`. */
  readonly recomputedMlps?: number;
  /** At least their attention probabilities; default: `recomputedMlps`. */
  readonly recomputedAttention?: number;
}

/** What a decoder and its plan have in common. */
interface PassOptions extends Recomputation {
  readonly config: ModelConfig;
  readonly trainable: Trainable;
  /**
   * Whether matrices that are dequantised for a pass are taken in tiles, if the runtime multiplies by those faster (see
   * `Runtime.tileSize`). Changes results by rounding.
   */
  readonly tiled?: boolean;
  /** Tokens whose logits are computed at a time. */
  readonly logitsChunk: number;
  /**
   * Entries of the vocabulary whose logits are computed at a time, from their rows of the output matrix alone, where the
   * runtime computes on the host and that matrix is not trained. Default: all. Changes results by rounding.
   */
  readonly vocabularyShard?: number;
  /** Default: `f32`. */
  readonly precision?: Precision;
  /**
   * Share of the loss of {@link Decoder.accumulate} that is the mean over all tokens of the vocabulary, or over all labels,
   * in the place of the one that is learned (label smoothing); default: 0.
   */
  readonly smoothing?: number;
}

export interface DecoderOptions extends PassOptions {
  readonly runtime: Runtime;
  readonly weights: WeightStore;
  readonly adapter?: Adapter;
  /** Other threads that dequantise what lies in shared memory, where the runtime computes on the host. */
  readonly dequantisers?: readonly DequantisingThread[];
  /**
   * Whether tokens after a prompt are computed over codes where weights are stored as such: those are then in memory besides, and
   * sums are rounded otherwise.
   */
  readonly storedSteps?: boolean;
}

/** Seed and counters for random numbers in training: the same three numbers give the same dropout masks and NEFTune noise. */
export interface DropoutKey {
  readonly seed: number;
  readonly step: number;
  readonly micro: number;
}

/** Losses of the supervised tokens of a batch, row by row in their order. */
export interface TokenLosses {
  /** Cross entropies in nats; of a head of one label, the score instead. */
  readonly losses: Float32Array;
  /** The row of each. */
  readonly rows: Int32Array;
  /** The place in its row of the token that is predicted; for a classifier, of the token that its label is at. */
  readonly places: Int32Array;
}

/** What the gradient of each token's loss is multiplied by, once the losses are known. */
export type Weighing = (tokens: TokenLosses) => Float32Array;

export interface LossResult {
  /** Sum over the supervised tokens of the cross entropy, in nats, times their weights. */
  readonly sum: number;
  /** Supervised tokens, each by its weight. */
  readonly tokens: number;
  /** Sum and tokens of each row. */
  readonly rows: readonly { readonly sum: number; readonly tokens: number }[];
}

/** Trainable tensors on a runtime's device, by name. */
export interface DeviceParameters {
  readonly values: ReadonlyMap<string, Tensor>;
  readonly gradients: ReadonlyMap<string, Tensor>;
  /** Copies values that were changed on the host to the device. */
  publish(): void;
  /** Marks values as changed on the device: those of the host are stale until `collect`. */
  changed(): void;
  /** Copies changed values to the host. */
  collect(): Promise<void>;
}

export interface Decoder {
  readonly options: DecoderOptions;
  /** Trainable tensors by name; after changing `data`, call `parametersChanged`. */
  readonly parameters: ReadonlyMap<
    string,
    { readonly shape: readonly number[]; readonly data: Float32Array }
  >;
  parametersChanged(): void;
  /** The trainable tensors on the device; absent if the runtime computes in host memory. */
  readonly onDevice?: DeviceParameters;
  /** Gradients of `parameters`, accumulated since `zeroGradients`, as of the last `collectGradients`. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
  /** Copies the gradients from the runtime's device, if it has one. */
  collectGradients(): Promise<void>;
  zeroGradients(): void;
  /**
   * Forward and backward; adds `scale` × the gradient of the loss sum (`scale` = 1 ÷ supervised tokens of the global
   * batch, by weight), or the gradients of the losses, each times what `scale` gives for it. `noise` is the largest
   * magnitude of the uniform noise added to the embedded tokens (NEFTune); default: none.
   */
  accumulate(batch: Batch, scale: number | Weighing, key: DropoutKey, noise?: number): Promise<LossResult>;
  /** Forward only, without dropout. `each` is told every token's. */
  loss(batch: Batch, each?: (tokens: TokenLosses) => void): Promise<LossResult>;
  /** `[rows, length, vocab]`, without dropout; for a classifier `[rows, length, labels]`. */
  logits(batch: Omit<Batch, 'labels'>): Promise<Float32Array>;
  /** For a classifier: logits `[texts, labels]` of the texts in a batch, without dropout; the values of its labels are ignored. */
  classify(batch: Batch): Promise<Float32Array>;
  /** Token by token with a key-value cache, for `rows` sequences of at most `capacity` tokens. */
  session(rows: number, capacity: number): Promise<DecodeSession>;
  release(): Promise<void>;
}

export interface DecodeSession {
  /**
   * Whether a session takes many tokens at a time after its first call, and {@link restore}s: where caches are arrays
   * of the host, no text is turned by other angles when it grows, and no adapter has virtual tokens.
   */
  readonly extends: boolean;
  /**
   * Appends tokens to every row and returns the logits `[rows, vocab]` after each row's last token, which the next call
   * writes over.
   * `ids[r]` may differ in length between rows in the first call (the prompts), and later where the session {@link extends}.
   * `every`: for a session of one row, the logits `[tokens, vocab]` after each token, which nothing writes over.
   */
  append(ids: readonly Int32Array[], logits?: 'last' | 'every'): Promise<Float32Array>;
  /**
   * Continues with only these rows, none of which moves back: finished rows leave the batch, and the last one may take
   * the place of one that left.
   */
  keep(rows: readonly number[]): Promise<void>;
  /** Takes the rows of another session of the same decoder, after its own; the other one ends. */
  join(other: DecodeSession): Promise<void>;
  /** Keys and values of the tokens `start … end` of a row, for {@link restore}: those of a layer after those of another. */
  read(row: number, start: number, end: number): Float32Array;
  /** Begins each row with tokens whose keys and values were read before, one piece after another; there may be none of a row. */
  restore(
    rows: readonly (readonly { readonly ids: ArrayLike<number>; readonly data: Float32Array }[])[],
  ): Promise<void>;
  release(): Promise<void>;
}

/** The graphs that a decoder of this shape would run, for the planner: nothing is compiled. */
export interface DecoderPlan {
  readonly graphs: readonly {
    readonly role: 'embed' | 'block_forward' | 'block_backward' | 'head';
    readonly graph: Graph;
  }[];
  /** Bytes by part at the moment of the peak. */
  readonly parts: {
    readonly weights: number;
    readonly adapter: number;
    readonly gradients: number;
    readonly activations: number;
    readonly logits: number;
    readonly workspace: number;
  };
  /** Bytes of `workspace` that are not tensors: the JavaScript heap and compiled graphs. */
  readonly driverBytes: number;
  /** Sizes of what blocks save from their forward to their backward pass, each a buffer of its own, and how many have them. */
  readonly savedBuffers: readonly { readonly bytes: number; readonly count: number }[];
  /**
   * Bytes of weights that exist as float32 at the same time: all of them or, if the base is dequantised, one block and
   * the head.
   */
  readonly floatBytes: number;
  /** Multiply-adds ×2 of one forward and backward. */
  readonly flops: number;
}

/** Which matrices of a base must be dequantised for the pass that reads them: those in any format but F32. */
export interface Dequantised {
  readonly blocks?: boolean;
  readonly head?: boolean;
  /** Bytes of a value while the graph that reads it dequantises its matrix; left out where a workspace takes all of a block. */
  readonly inGraph?: number;
  /** Projections of blocks are in 4 bits, whatever the others are in. */
  readonly coded?: boolean;
}

export interface DecoderPlanOptions extends PassOptions {
  readonly adapter?: AdapterConfig;
  /** Bytes that the stored weights hold (NF4: codes and double-quantised constants). */
  readonly weightBytes: number;
  readonly dequantised: Dequantised;
  /** Threads that dequantise them, with this one; default: 1. */
  readonly lanes?: number;
  readonly rows: number;
  readonly length: number;
  /** For packed rows: the largest number of tokens of a text. */
  readonly packed?: number;
  /** Rows are texts that begin alike: see {@link Batch.forks}. */
  readonly forked?: boolean;
  /** What gradients are multiplied by follows from the losses: see {@link Weighing}. */
  readonly weighs?: boolean;
  /** Tokens whose logits a batch needs, at most about. Default: all but the first of each row. */
  readonly supervised?: number;
  /** What is wanted of these tokens where nothing is trained; default: their losses. */
  readonly wanted?: 'loss' | 'logits';
}
