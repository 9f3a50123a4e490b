/**
 * What a decoder computes per token: products by the shapes of its linear layers, as `6·N` of Kaplan et al.
 * (arXiv:2001.08361) counts them, attention, and the bytes that everything else moves.
 */
import {
  blueprintOf,
  expectedTensors,
  projectionsOfModel,
} from '../../../compute/models/architectures/index.js';
import type { ModelConfig } from '../../../compute/models/types.js';

export interface DecoderWork {
  readonly layers: number;
  /** Weights that a token is multiplied with in all blocks: of experts, those that it is given to. */
  readonly linear: number;
  /** The same of the head: `hiddenSize × outputs`. */
  readonly head: number;
  readonly outputs: number;
  /** Query heads times their size. */
  readonly queries: number;
  /** Numbers that are read and written by what is no product, per token and block, forward. */
  readonly moved: number;
  /** Numbers that a block's linear layers read and write, per token: each target of an adapter has as many again. */
  readonly through: number;
  /** Weights in all, those of experts that a token is not given to as well. */
  readonly weights: number;
  /** Of these in linear layers, which 4 bits can hold. */
  readonly quantised: number;
}

const productOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

const known = new WeakMap<ModelConfig, DecoderWork>();

export function decoderWork(config: ModelConfig): DecoderWork {
  const before = known.get(config);
  if (before !== undefined) return before;
  const made = countWork(config);
  known.set(config, made);
  return made;
}

function countWork(config: ModelConfig): DecoderWork {
  const { hiddenSize: hidden, intermediateSize: inner, heads, headDim, keyValueHeads, layers } = config;
  const projections = projectionsOfModel(config);
  const quantised = projections.reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0);
  const tensors = expectedTensors(config);
  const blocks = `${blueprintOf(config).blocksAt}.`;
  const inBlocks = tensors.filter(({ name }) => name.startsWith(blocks));
  const weights = tensors.reduce((sum, { shape }) => sum + productOf(shape), 0);
  const all = inBlocks.reduce((sum, { shape }) => sum + productOf(shape), 0);
  // experts are no linear layers; a gated MLP of each that a token is given to
  const hasExperts = config.foreign?.experts !== undefined;
  const linear = hasExperts ? Math.min(all, quantised + layers * 3 * hidden * inner) : quantised;
  const outputs = config.labels?.length ?? config.vocabSize;
  const queries = heads * headDim;
  const keys = keyValueHeads * headDim;
  return {
    layers,
    linear,
    head: hidden * outputs,
    outputs,
    queries,
    // two norms in float32, rotary positions, two sums, the gate of the MLP, and what attention transposes: elements of 2 bytes
    moved: 38 * hidden + 14 * (queries + keys) + 5 * inner,
    through: projections.reduce((sum, { inputs, outputs: out }) => sum + inputs + out, 0) / layers,
    weights,
    quantised,
  };
}
