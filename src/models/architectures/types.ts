/** What a model family is to the rest: names of weights, and builders of its graphs. */
import type { Graph, NamedValue } from '../../tensor/types.js';
import type { LoraConfig, ModelConfig } from '../types.js';

/** A linear layer of a block, `[outputs, inputs]`. */
export interface Projection {
  /** As in `LoraConfig.targets`: `q_proj`. */
  readonly target: string;
  /** Path within the block: `self_attn.q_proj`. */
  readonly module: string;
  readonly outputs: number;
  readonly inputs: number;
}

export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Rows of one length that go through a block at once. */
export interface BlockOptions {
  readonly config: ModelConfig;
  readonly rows: number;
  readonly length: number;
  readonly lora?: LoraConfig;
  /** Whether the inputs of the adapter pass through dropout masks, which are then graph inputs. */
  readonly dropout: boolean;
  /** Whose gradients the backward part gives. */
  readonly trainable: 'adapter' | 'full' | 'none';
}

/**
 * Forward and backward of one block. Inputs: `x` `[rows·length, hidden]`, `cos` and `sin` `[rows, length, dim/2]`,
 * `mask` `[1, 1, length, length]` (added to the scores), weights and adapter tensors by their names within the
 * block, `dropout.MODULE` (bool), `dy`, and `total.NAME` for each trained tensor.
 * Outputs: `y`, `dx`, and `grad.NAME` = `total.NAME` + gradient.
 */
export interface BlockGraph {
  readonly joint: Graph;
  /** Values that are dear to recompute and small to keep, as `kept.NAME`. */
  readonly kept: readonly NamedValue[];
  /** Keys and values of the whole row, `[rows·keyValueHeads, length, dim]`, as `keys` and `values`. */
  readonly cache: readonly NamedValue[];
}

export interface HeadOptions {
  readonly config: ModelConfig;
  /** Positions that go through the head at once. */
  readonly tokens: number;
  readonly trainable: 'adapter' | 'full' | 'none';
}

export interface StepOptions {
  readonly config: ModelConfig;
  readonly rows: number;
  /** Positions that the cache has room for. */
  readonly capacity: number;
  readonly lora?: LoraConfig;
}

export interface Architecture {
  readonly projections: (config: ModelConfig) => readonly Projection[];
  /** Weights of each block, by their names within it. */
  readonly blockWeights: (config: ModelConfig) => readonly NamedShape[];
  /** Full name of a tensor of block `layer`. */
  readonly blockName: (layer: number, name: string) => string;
  readonly embedding: (config: ModelConfig) => NamedShape;
  readonly finalNorm: (config: ModelConfig) => NamedShape;
  /** The embedding itself where the two are tied. */
  readonly output: (config: ModelConfig) => NamedShape;
  readonly block: (options: BlockOptions) => BlockGraph;
  /**
   * Loss and its backward. Inputs: `x` `[tokens, hidden]`, `norm`, `output`, `labels` i32 `[tokens]`,
   * `seed` `[tokens]` (upstream gradient of each loss), `total.norm` and `total.output` in full training.
   * Outputs: `loss` `[tokens]`, `logits` `[tokens, vocab]`, `dx`, `grad.norm`, `grad.output`.
   */
  readonly head: (options: HeadOptions) => Graph;
  /**
   * One new token a row over a cache. Inputs: `x` `[rows, hidden]`, `cos` and `sin` `[rows, 1, dim/2]`,
   * `keys` and `values` `[rows·keyValueHeads, capacity, dim]`, `mask` `[rows, 1, 1, capacity]`, weights.
   * Outputs: `y`, and the new `key` and `value` `[rows·keyValueHeads, 1, dim]`.
   */
  readonly step: (options: StepOptions) => Graph;
}
