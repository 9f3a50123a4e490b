/** What a model family computes, as data: names and sizes of its weights, and how its blocks put them together. */

/** A linear layer of a block. */
export interface Projection {
  /** The last part of its path, as in `LoraConfig.targets`: `q_proj`. Several layers of a block may share it. */
  readonly target: string;
  /** Path within the block: `self_attn.q_proj`. */
  readonly module: string;
  readonly outputs: number;
  readonly inputs: number;
  readonly bias: boolean;
  /** Stored as `[inputs, outputs]`, as transformers' `Conv1D`; otherwise `[outputs, inputs]`. */
  readonly transposed: boolean;
}

export interface Norm {
  /** Path without `.weight`. */
  readonly module: string;
  /** Root mean square (arXiv 1910.07467), or mean and variance with a bias (arXiv 1607.06450). */
  readonly kind: 'rms' | 'layer';
  readonly epsilon: number;
  /** What is added to the stored weight: Gemma stores its distance from 1. */
  readonly offset: 0 | 1;
}

/** Frequencies that are changed for texts longer than those of the first training. */
export type RopeScaling =
  | { readonly type: 'linear'; readonly factor: number }
  | {
      readonly type: 'llama3';
      readonly factor: number;
      readonly lowFactor: number;
      readonly highFactor: number;
      readonly originalPositions: number;
    }
  | {
      readonly type: 'longrope';
      /** One divisor a frequency: for texts up to `originalPositions`, and for longer ones. */
      readonly short: readonly number[];
      readonly long: readonly number[];
      readonly originalPositions: number;
      /** What cosine and sine are multiplied by. */
      readonly attentionFactor: number;
    }
  | {
      /** YaRN (arXiv 2309.00071). */
      readonly type: 'yarn';
      readonly factor: number;
      readonly originalPositions: number;
      readonly attentionFactor: number;
      /** Turns within `originalPositions`: frequencies above the one stay, those below the other are slowed in full. */
      readonly betaFast: number;
      readonly betaSlow: number;
      /** Whether the bounds between them are whole frequencies. */
      readonly truncate: boolean;
    };

/** Rotary positions (arXiv 2104.09864) of the first `dims` values of every head. */
export interface Rotary {
  /** Even. */
  readonly dims: number;
  /** What the exponents of the frequencies are parts of: `dims`, or one less where the turned share of a head is odd. */
  readonly period: number;
  readonly theta: number;
  readonly scaling?: RopeScaling;
}

export interface Attention {
  readonly norm: Norm;
  /** Between the output projection and the residual. */
  readonly after?: Norm;
  readonly inputs:
    | { readonly kind: 'separate'; readonly q: Projection; readonly k: Projection; readonly v: Projection }
    /** `parts`: all queries, then all keys, then all values; `heads`: the three of each head in turn. */
    | { readonly kind: 'fused'; readonly all: Projection; readonly order: 'parts' | 'heads' };
  readonly output: Projection;
  readonly rotary?: Rotary;
  /** Norms over each head of the queries and keys, before they are turned. */
  readonly headNorms?: { readonly q: Norm; readonly k: Norm };
  /** What scores are multiplied by. */
  readonly scale: number;
  /** Scores s become cap·tanh(s/cap). */
  readonly cap?: number;
  /** A position sees itself and this many positions less one before it; all of them if it is absent. */
  readonly window?: number;
}

export type Activation = 'silu' | 'gelu' | 'gelu_tanh' | 'gelu_quick' | 'relu';

/** Functions of a bottleneck adapter, by transformers' names. */
export type BottleneckActivation = 'relu' | 'gelu' | 'gelu_new' | 'silu' | 'sigmoid' | 'tanh';

export interface Mlp {
  readonly norm: Norm;
  readonly after?: Norm;
  readonly activation: Activation;
  /** Gated: down(f(gate)·up), where `fused` has the gate's rows before those of `up`. */
  readonly up:
    | { readonly kind: 'plain'; readonly up: Projection }
    | { readonly kind: 'gated'; readonly gate: Projection; readonly up: Projection }
    | { readonly kind: 'fused'; readonly both: Projection };
  readonly down: Projection;
}

export interface BlockBlueprint {
  readonly attention: Attention;
  readonly mlp: Mlp;
  /** Sequential: the MLP reads what the attention has written. Parallel: both read the block's input. */
  readonly residual: 'sequential' | 'parallel';
}

export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface Blueprint {
  readonly embedding: NamedShape;
  /** The padding token's row has no gradient (torch's `padding_idx`), as in most families. */
  readonly paddingFrozen: boolean;
  /** What embedded tokens are multiplied by. */
  readonly embeddingScale: number;
  /** Learned positions, added to the embedded tokens. */
  readonly positions?: NamedShape;
  /** Path of the list of blocks: `model.layers`. */
  readonly blocksAt: string;
  /** The kind of each layer; blocks of one kind share their graphs. */
  readonly layers: readonly string[];
  readonly blocks: Readonly<Record<string, BlockBlueprint>>;
  readonly head: {
    readonly norm: Norm;
    /** The embedding itself where the two are tied. */
    readonly output: NamedShape;
    /** Logits l become cap·tanh(l/cap). */
    readonly cap?: number;
  };
}
