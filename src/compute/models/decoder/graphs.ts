/** The graphs that a decoder runs, by role and shape: what is compiled, and what the planner measures. */
import { productsInBf16 } from '../../tensor/low-precision.js';
import { rematerialise } from '../../tensor/rematerialise.js';
import { simplify } from '../../tensor/simplify.js';
import { tileInputs } from '../../tensor/tiles.js';
import type { Graph, NamedValue } from '../../tensor/types.js';
import { restrict } from '../../tensor/uses.js';
import { trainedBiases } from '../adapters/biases.js';
import type { PrefixConfig } from '../adapters/config.js';
import { adapterShapes, dropoutOf, type LayerKind } from '../adapters/kinds.js';
import { type AdaptedOuter, adaptedOuterOf, headFactorNames } from '../adapters/outer.js';
import { prefixTokens } from '../adapters/prefix.js';
import { wholeTensor } from '../adapters/whole.js';
import { QUERY_BLOCK } from '../architectures/graphs/attention.js';
import { blockGraph } from '../architectures/graphs/block.js';
import {
  decodeStepGraph as architectureStep,
  type DecodeStepOptions,
} from '../architectures/graphs/decode-step.js';
import { embeddingFactorGraphs as architectureFactors } from '../architectures/graphs/embedding-factors.js';
import {
  headGraph as architectureHead,
  vocabularyShardGraph as architectureShard,
  type HeadFactors,
} from '../architectures/graphs/head.js';
import { prefixGraphs as architecturePrefix, type PrefixGraphs } from '../architectures/graphs/prefix.js';
import type { BlockPart } from '../architectures/graphs/residual.js';
import { blockTensors, blueprintOf } from '../architectures/index.js';
import type { DecoderPlanOptions, Recomputation } from './types.js';

export interface GraphOptions
  extends Pick<DecoderPlanOptions, 'config' | 'adapter' | 'trainable' | 'precision' | 'smoothing'> {
  /** Places of the tiles in which passes over whole rows take the matrices of blocks where they can; default: row by row. */
  readonly tiles?: number | undefined;
}

export interface BlockShape {
  readonly rows: number;
  readonly length: number;
  /** Rows hold several texts, of at most so many tokens: see {@link reachOf}. */
  readonly packed?: number;
  /** Rows are texts that begin alike: see `Batch.forks`. */
  readonly forked?: boolean;
}

/** `packed`: tokens of the longest text that a packed row may hold. */
export const blockShape = ({ rows, length, packed, forked }: BlockShape): BlockShape => ({
  rows,
  length,
  ...(packed === undefined ? {} : { packed: reachOf(packed, length) }),
  ...(forked === true && { forked }),
});

export const shapeName = ({ rows, length, packed, forked }: BlockShape): string =>
  `${rows}x${length}${packed === undefined ? '' : ` packed ${packed}`}${forked === true ? ' forked' : ''}`;

/** How far back attention looks where no text has more tokens: a block of queries doubled, so that graphs are few. */
function reachOf(longestText: number, length: number): number {
  let reach = QUERY_BLOCK;
  while (reach < longestText) reach *= 2;
  return Math.min(reach, length);
}

/** The activations that a block saves for its backward pass besides its input: those of these parts. */
export type SavedActivations = 'all' | 'both' | 'attention' | 'nothing';

const PARTS: Readonly<Record<SavedActivations, readonly BlockPart[]>> = {
  all: ['probabilities', 'attention', 'mlp', 'lows'],
  both: ['attention', 'mlp', 'lows'],
  attention: ['attention'],
  nothing: [],
};

/** What a layer saves for its backward pass: the first layers recompute most, see {@link Recomputation}. */
export function savedActivationsOf(
  layer: number,
  recomputed: Recomputation,
  { precision }: Pick<GraphOptions, 'precision'>,
  kind: LayerKind,
  shape: BlockShape,
): SavedActivations {
  const { checkpointedBlocks, recomputedMlps = 0, recomputedAttention = 0 } = recomputed;
  if (layer < checkpointedBlocks) return 'nothing';
  if (layer < recomputedMlps) return 'attention';
  // attention in tiles has no probabilities to save
  const { keyTile } = attentionOf('all', shape, kind, precision);
  return layer < recomputedAttention || keyTile !== undefined ? 'both' : 'all';
}

/** Whether masks of dropout are saved too, and not drawn again. */
export const savesMasks = (savedActivations: SavedActivations): boolean =>
  savedActivations === 'all' || savedActivations === 'both';

/** Keys that a query sees at most, from which on attention goes tile by tile. */
export const LONG_REACH = 1024;

/** Keys of a tile, and tiles of a row at most: a graph has some 20 nodes a tile. */
const TILE = { least: 512, count: 8 };

/**
 * How gradients of attention get their probabilities. Of long rows, tile by tile from a sum for each query: from 1,024 tokens
 * on that takes as long as reading what was saved of all (blocks of SmolLM2-135M and of the starter model, one thread), at
 * 8,192 tokens three quarters. In shorter rows they are saved, or computed once more for a block of queries at a time.
 * Products in bfloat16 are those of PyTorch if what is rounded are probabilities, which a tile does not know.
 */
function attentionOf(
  savedActivations: SavedActivations,
  { length, packed = length }: BlockShape,
  { block: { attention } }: LayerKind,
  precision: GraphOptions['precision'],
): { readonly attendsAgain?: boolean; readonly keyTile?: number } {
  const reach = Math.min(packed, attention.window ?? length);
  if (reach < LONG_REACH)
    return { attendsAgain: savedActivations === 'both' || savedActivations === 'attention' };
  if (precision === 'bf16') return { attendsAgain: savedActivations !== 'all' };
  const blocks = Math.ceil(reach / TILE.count / QUERY_BLOCK);
  return { keyTile: Math.max(TILE.least, blocks * QUERY_BLOCK) };
}

const inPrecision = (graph: Graph, { precision }: Pick<GraphOptions, 'precision'>): Graph =>
  precision === 'bf16' ? productsInBf16(graph) : graph;

const without = (graph: Graph, name: string): Graph =>
  restrict(
    graph,
    graph.outputs.filter((output) => output.name !== name),
  );

/** Whether anybody needs the gradient of the embedded tokens. */
export const trainsEmbedding = ({ config, adapter, trainable }: GraphOptions): boolean =>
  trainable === 'full' ||
  (trainable === 'adapter' &&
    (adapter?.kind === 'prompt' ||
      wholeTensor(config, adapter, 'embedding') !== undefined ||
      adaptedOuterOf(config, adapter, 'embedding') !== undefined));

/** Whether gradients go back through the blocks: not where the head alone is trained. */
export function trainsBlocks({ config, adapter, trainable }: GraphOptions): boolean {
  if (trainable !== 'adapter' || adapter === undefined) return trainable !== 'none';
  const ofHead = new Set([wholeTensor(config, adapter, 'head')?.name, ...headFactorNames(config, adapter)]);
  return adapterShapes(config, adapter).some(({ name }) => !ofHead.has(name));
}

/** Both passes of a training block; the first block's gives no gradient of its input where nobody needs it. */
export function trainingBlock(
  options: GraphOptions,
  kind: LayerKind,
  shape: BlockShape,
  savedActivations: SavedActivations,
  first: boolean,
): { readonly forward: Graph; readonly backward: Graph } {
  const { config, adapter, trainable } = options;
  const { joint, saved } = blockGraph({
    config,
    kind,
    ...shape,
    prefix: prefixTokens(adapter),
    precision: options.precision,
    trainable,
    dropout: trainable === 'adapter' ? dropoutOf(adapter) : 0,
    ...attentionOf(savedActivations, shape, kind, options.precision),
  });
  const whole = inPrecision(joint, options);
  const needed = first && !trainsEmbedding(options) ? without(whole, 'dx') : whole;
  const offered = PARTS[savedActivations].flatMap((part) => saved[part]);
  const { forward, backward } = savedHalves(needed, 'y', offered);
  return { forward: inTiles(forward, options, kind), backward: inTiles(backward, options, kind) };
}

/** Matrices of a block, by the names of inputs. */
const matrixNames = ({ config }: Pick<GraphOptions, 'config'>, { block }: LayerKind): Set<string> =>
  new Set(
    blockTensors(block, config.headDim).flatMap(({ name, shape }) => (shape.length === 2 ? [name] : [])),
  );

const inTiles = (graph: Graph, options: GraphOptions, kind: LayerKind): Graph =>
  options.tiles === undefined ? graph : tileInputs(graph, matrixNames(options, kind), options.tiles);

/**
 * Both passes, the first of which gives `output` and saves what is offered: a value that the second does not read need
 * not be saved.
 */
function savedHalves(
  joint: Graph,
  output: string,
  offered: readonly NamedValue[],
): { readonly forward: Graph; readonly backward: Graph } {
  const read = new Set(rematerialise(joint, [output], offered).backward.inputs.map(({ name }) => name));
  const halves = rematerialise(
    joint,
    [output],
    offered.filter(({ name }) => read.has(name)),
  );
  return { forward: simplify(halves.forward), backward: simplify(halves.backward) };
}

/**
 * Forward only, without dropout; `cached` also gives the keys and values. `past`: places of each row for what was read of it
 * before; without it, every row has the tokens of a prefix before it.
 */
export function evaluationBlock(
  options: GraphOptions,
  kind: LayerKind,
  shape: BlockShape,
  cached: boolean,
  past?: number,
): Graph {
  const { config, adapter, precision } = options;
  const { joint, cache } = blockGraph({
    config,
    kind,
    ...shape,
    prefix: past ?? prefixTokens(adapter),
    ownPrefixes: past !== undefined,
    precision,
    trainable: 'none',
    dropout: 0,
  });
  const outputs = [...joint.outputs, ...(cached ? cache : [])];
  return inTiles(simplify(restrict(inPrecision(joint, { precision }), outputs)), options, kind);
}

/** `dropped`: the losses of what is learned, where the factors of the head drop some of what they read. */
export type HeadRole = 'train' | 'loss' | 'dropped' | 'logits';

const HEAD_OUTPUTS: Readonly<Record<Exclude<HeadRole, 'train'>, string>> = {
  loss: 'loss',
  dropped: 'loss',
  logits: 'logits',
};

/** The factors over the head of an adapter; they drop something in training alone. */
export function headFactors(
  { config, adapter, trainable }: GraphOptions,
  drops = false,
): HeadFactors | undefined {
  const found = adaptedOuterOf(config, adapter, 'head');
  const dropout = drops && trainable === 'adapter' ? dropoutOf(adapter) : 0;
  return found && { branch: found.branch, dropout };
}

/**
 * Of `tokens` hidden states `[tokens, hidden]`: logits `[tokens, vocab]`, the losses of their labels, or these with
 * all gradients.
 */
export function headGraph(options: GraphOptions, tokens: number, role: HeadRole): Graph {
  const head = wholeHead(options, tokens, role);
  const unwanted = trainsBlocks(options) ? ['logits'] : ['logits', 'dx'];
  const wanted = (name: string) =>
    role === 'train' ? !unwanted.includes(name) : name === HEAD_OUTPUTS[role];
  return simplify(
    restrict(
      head,
      head.outputs.filter(({ name }) => wanted(name)),
    ),
  );
}

/** `train` cut in two: the losses, and the gradients that follow from them. What both need of the products is saved. */
export function headHalves(
  options: GraphOptions,
  tokens: number,
): { readonly forward: Graph; readonly backward: Graph } {
  const whole = wholeHead(options, tokens, 'train');
  const needed = trainsBlocks(options) ? without(whole, 'logits') : without(without(whole, 'logits'), 'dx');
  const logits = whole.outputs.find(({ name }) => name === 'logits')?.value;
  // of capped logits, the gradient reads the tangent
  const value = whole.nodes.find(({ op }) => op === 'tanh')?.outputs[0] ?? logits;
  const offered = value === undefined ? [] : [{ name: SAVED_LOGITS, value }];
  return savedHalves(needed, 'loss', offered);
}

export const SAVED_LOGITS = 'saved.logits';

/** The whole head, with every output. */
function wholeHead(options: GraphOptions, tokens: number, role: HeadRole): Graph {
  const { config, adapter, trainable } = options;
  const saved = trainable === 'adapter' && wholeTensor(config, adapter, 'head') !== undefined;
  const trained = role !== 'train' ? 'none' : saved ? 'output' : trainable;
  const blueprint = blueprintOf(config);
  // what is learned is smoothed, not what is measured
  const learned = role === 'train' && {
    smoothing: options.smoothing,
    trained:
      trainable === 'adapter'
        ? [...trainedBiases(config, adapter).map(({ name }) => name), ...headFactorNames(config, adapter)]
        : [],
  };
  const factors = headFactors(options, role === 'train' || role === 'dropped');
  return inPrecision(architectureHead(blueprint, tokens, trained, { ...(learned || {}), factors }), options);
}

/** What of the head is computed for a vocabulary shard. */
export type ShardRole = 'logits' | 'loss' | 'smoothed' | 'gradient';

/** What the loss that is learned needs. */
export const lossRole = ({ smoothing = 0 }: Pick<GraphOptions, 'smoothing'>): ShardRole =>
  smoothing > 0 ? 'smoothed' : 'loss';

const SHARD_OUTPUTS: Readonly<Record<ShardRole, readonly string[]>> = {
  logits: ['logits'],
  loss: ['label', 'most', 'sum'],
  smoothed: ['label', 'most', 'sum', 'all'],
  gradient: ['dx'],
};

/**
 * Of `tokens` hidden states and `shardSize` rows of the output matrix: what each token's loss, or its gradient, takes
 * from that shard.
 */
export function vocabularyShardGraph(
  options: GraphOptions,
  size: { readonly tokens: number; readonly shardSize: number },
  role: ShardRole,
): Graph {
  const { smoothing } = options;
  const shard = architectureShard(blueprintOf(options.config), {
    ...size,
    smoothing,
    factors: headFactors(options),
  });
  const outputs = shard.outputs.filter(({ name }) => SHARD_OUTPUTS[role].includes(name));
  return simplify(restrict(inPrecision(shard, options), outputs));
}

export const decodeStepGraph = (
  options: GraphOptions,
  kind: LayerKind,
  cache: Pick<DecodeStepOptions, 'rows' | 'capacity' | 'appends'>,
): Graph => simplify(inPrecision(architectureStep({ config: options.config, kind, ...cache }), options));

/** What the factors over an embedding add to so many tokens, and their gradients. */
export function embeddingFactorGraphs(
  options: GraphOptions,
  { inputs, outputs, branch }: AdaptedOuter,
  { tokens, gathers }: { readonly tokens: number; readonly gathers: boolean },
): Readonly<Record<'forward' | 'backward', Graph>> {
  const { forward, backward } = architectureFactors({
    ...{ tokens, gathers, hidden: outputs, vocabulary: inputs, rank: branch.rank },
    scale: branch.scale * blueprintOf(options.config).embeddingScale,
  });
  return {
    forward: simplify(inPrecision(forward, options)),
    backward: simplify(inPrecision(backward, options)),
  };
}

/** What computes a prefix, and its gradients. */
export function prefixGraphs(options: GraphOptions, prefix: PrefixConfig): Omit<PrefixGraphs, 'flat'> {
  const { forward, backward } = architecturePrefix(options.config, prefix);
  return {
    forward: simplify(inPrecision(forward, options)),
    backward: simplify(inPrecision(backward, options)),
  };
}
