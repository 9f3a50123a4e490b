/** The block-by-block driver of a decoder: what training, evaluation, merge and generation run. */
import type { Graph, Runtime, Tensor } from '../../tensor/types.js';
import type { Adapter, LoraConfig, ModelConfig, WeightStore } from '../types.js';

/** Rows of one micro batch, right-padded to one length. */
export interface Batch {
  readonly rows: number;
  readonly length: number;
  /** `[rows, length]` */
  readonly ids: Int32Array;
  /**
   * `[rows, length]`; the token that stands at each position, or -100 where it is not supervised. Position t predicts t+1.
   * Of a classifier: the class of a text at its last token, -100 elsewhere.
   */
  readonly labels: Int32Array;
  /**
   * `[rows, length]`, where rows hold several texts: which of its row's texts each token belongs to, in ascending
   * order. A token sees none of another text, and positions count from the start of its own.
   */
  readonly segments?: Int32Array;
  /** Tokens of each row before its padding, where rows hold a text each. Left out: `length`. */
  readonly lengths?: readonly number[];
  /**
   * No text of a packed row has more tokens. Attention looks no further back; a bound that stays the same from batch to
   * batch keeps the compiled graphs few. Left out: a row's length.
   */
  readonly longestText?: number;
}

/** What is trained: an adapter over frozen weights, every weight, or nothing. */
export type Trainable = 'adapter' | 'full' | 'none';

/**
 * How matrix products are computed: in float32, or with what goes in and comes out rounded to bfloat16 as under PyTorch's
 * autocast. Trained tensors, norms, softmax, loss and optimiser are float32 either way.
 */
export type Precision = 'f32' | 'bf16';

/** How many blocks, from the first on, compute what again in the backward pass. Changes no result. */
export interface Recomputed {
  /** All but their input. */
  readonly checkpointedBlocks: number;
  /** At least their MLP; left out: only those that recompute all. */
  readonly recomputedMlps?: number;
  /** At least what the attention's softmax gives; left out: only those that recompute their MLP too. */
  readonly recomputedShares?: number;
}

export interface DecoderOptions extends Recomputed {
  readonly runtime: Runtime;
  readonly config: ModelConfig;
  readonly weights: WeightStore;
  readonly adapter?: Adapter;
  readonly trainable: Trainable;
  /** Tokens whose logits exist at one time. */
  readonly headChunk: number;
  /** Left out: `f32`. */
  readonly precision?: Precision;
}

/** Seed and counters of what is drawn in training: the same three numbers give the same masks and the same noise. */
export interface DropoutKey {
  readonly seed: number;
  readonly step: number;
  readonly micro: number;
}

export interface LossResult {
  /** Sum over the supervised tokens of the cross entropy, in nats. */
  readonly sum: number;
  /** Supervised tokens. */
  readonly tokens: number;
  /** Sum and tokens of each row. */
  readonly rows: readonly { readonly sum: number; readonly tokens: number }[];
}

/** Trainable tensors on a runtime's device, by name. */
export interface TrainedOnDevice {
  readonly values: ReadonlyMap<string, Tensor>;
  readonly gradients: ReadonlyMap<string, Tensor>;
  /** Hands over values that were changed on the host. */
  publish(): void;
  /** Values were changed here: those of the host are older until they are collected. */
  changed(): void;
  /** Brings changed values to the host. */
  collect(): Promise<void>;
}

export interface Decoder {
  readonly options: DecoderOptions;
  /** Trainable tensors by name; who changes `data` calls `parametersChanged`. */
  readonly parameters: ReadonlyMap<
    string,
    { readonly shape: readonly number[]; readonly data: Float32Array }
  >;
  parametersChanged(): void;
  /** The same where they lie, unless that is the host. */
  readonly onDevice?: TrainedOnDevice;
  /** Gradients of `parameters`, added up since `zeroGradients`, as of the last `collectGradients`. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
  /** Brings the gradients from the runtime's device, where it has one. */
  collectGradients(): Promise<void>;
  zeroGradients(): void;
  /**
   * Forward and backward; adds `scale` × the gradient of the loss sum (`scale` = 1 ÷ supervised tokens of the global batch).
   * `noise` is the largest magnitude of what is added to each value of the embedded tokens; left out: nothing is.
   */
  accumulate(batch: Batch, scale: number, key: DropoutKey, noise?: number): Promise<LossResult>;
  /** Forward only, without dropout. */
  loss(batch: Batch): Promise<LossResult>;
  /** `[rows, length, vocab]`, without dropout; of a classifier `[rows, length, labels]`. */
  logits(batch: Omit<Batch, 'labels'>): Promise<Float32Array>;
  /** Of a classifier: logits `[texts, labels]` of the texts of a batch, without dropout. Which labels stand there is no matter. */
  classify(batch: Batch): Promise<Float32Array>;
  /** Token by token with a key-value cache, for `rows` sequences of at most `capacity` tokens. */
  session(rows: number, capacity: number): Promise<DecodeSession>;
  release(): Promise<void>;
}

export interface DecodeSession {
  /**
   * Appends tokens to every row and returns the logits `[rows, vocab]` after each row's last token.
   * `ids[r]` may differ in length between rows only in the first call (the prompts).
   */
  append(ids: readonly Int32Array[]): Promise<Float32Array>;
  /**
   * Goes on with these rows alone, in this order (ascending): a finished row leaves the batch.
   */
  keep(rows: readonly number[]): Promise<void>;
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
  /** Bytes of `workspace` that are no tensors: the heap of JavaScript and what compiled graphs take. */
  readonly driverBytes: number;
  /** Bytes that weights take as float32 at one time: all of them, or of a decoded base a block and the head's. */
  readonly floatBytes: number;
  /** Multiply-adds ×2 of one forward and backward. */
  readonly flops: number;
}

export interface DecoderPlanOptions extends Recomputed {
  readonly config: ModelConfig;
  readonly lora?: LoraConfig;
  readonly trainable: Trainable;
  /** Bytes that the stored weights hold (NF4: codes and double-quantised constants). */
  readonly weightBytes: number;
  /** Whether block weights must be decoded into a float32 workspace (any format but F32). */
  readonly decoded: boolean;
  readonly rows: number;
  readonly length: number;
  /** Rows hold several texts, of at most so many tokens. */
  readonly packed?: number;
  readonly headChunk: number;
  readonly precision?: Precision;
}
