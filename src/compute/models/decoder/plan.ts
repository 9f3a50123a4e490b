/**
 * Predicts the memory and arithmetic of one micro batch from the graphs that the decoder would run.
 * Everything that outlives a graph's run is a buffer of the driver, and all of them are held at once; besides
 * them is the largest set of intermediates that any one graph has.
 */
import { flopsOf } from '../../tensor/cost.js';
import { transientBytes } from '../../tensor/liveness.js';
import { sizeOf } from '../../tensor/shape.js';
import type { Graph } from '../../tensor/types.js';
import type { AdapterConfig } from '../adapters/config.js';
import { adapterShapes, firstShapes } from '../adapters/kinds.js';
import { adaptedOuterOf } from '../adapters/outer.js';
import { prefixTokens } from '../adapters/prefix.js';
import { promptTokens } from '../adapters/prompt.js';
import { adaptedConfig } from '../adapters/whole.js';
import {
  blockTensors,
  blueprintOf,
  expectedTensors,
  headNormTensors,
  type NamedShape,
} from '../architectures/index.js';
import { requireGraph } from '../foreign.js';
import type { ModelConfig } from '../types.js';
import { NF4_TILE } from '../weights/dequantisation.js';
import { type BlockKind, blockKinds } from './block-measures.js';
import { mostRead, sumOf } from './graph-measures.js';
import {
  blockShape,
  embeddingFactorGraphs,
  type GraphOptions,
  prefixGraphs,
  trainsBlocks,
} from './graphs.js';
import { headWork } from './head-measures.js';
import { laneSizes } from './lanes.js';
import { positionFloats } from './position-inputs.js';
import { prefixFloats } from './prefix.js';
import type { DecoderPlan, DecoderPlanOptions } from './types.js';

const MIB = 2 ** 20;

/*
 * What a process holds besides the tensors that the plan counts, measured with ONNX Runtime 1.30 and Node 20 on
 * Linux (growth of the peak resident memory over a process that had run a graph of one node; models of hidden 576
 * and 192, 6 layers, 1,024 and 2,048 tokens; adapter and full; kept, half and fully recomputed; decoded or not;
 * with and without dropout). Buffers and scratch came out to the byte; the rest was 7 to 10 MB with 5 compiled
 * graphs and 9 to 12 MB with 7.
 */

/** Bytes of a compiled graph: the session, its wrapped tensors and its description. */
const SESSION_BYTES = 1.4 * MIB;

/** Nodes of a block's graph over a short row, of 128 tokens; over 4,096 tokens it has 400 to 1,600. */
const SHORT_GRAPH = 100;
/** Bytes of each node beyond those. Sessions of 58 to 1,371 nodes took 4.4 to 7.8 KiB a node. */
const NODE_BYTES = 5.5 * 1024;

/** Growth of the JavaScript heap. */
const DRIVER_BYTES = 2 * MIB;

const FLOAT = 4;

/**
 * Bytes by part, and floating-point operations, of one micro batch of `rows` texts of `length` tokens. Throws for an
 * architecture that has no graph.
 */
export function planDecoder(given: DecoderPlanOptions): DecoderPlan {
  requireGraph(given.config);
  const options = {
    ...given,
    config: adaptedConfig(given.config, given.adapter),
    length: given.length + promptTokens(given.adapter),
  };
  const { config, adapter, trainable, rows, length } = options;
  const graphs = graphOptions(options);
  const training = trainable !== 'none';
  const backwards = training && trainsBlocks(graphs);
  const kinds = blockKinds(options, graphs, backwards);
  const oneEach = config.labels !== undefined && options.packed === undefined;
  const supervisable = oneEach ? (options.forked === true ? 2 : 1) * rows : rows * (length - 1);
  const supervised = Math.max(1, Math.min(given.supervised ?? supervisable, supervisable));
  const head = headWork(options, graphs, supervised);
  // the rates that times are planned with were measured so: as if every token had logits
  const { times, flops, again } =
    supervised === supervisable ? head : headWork(options, graphs, supervisable);
  const headFlops = times * flops + again;

  const virtual = prefixTokens(adapter);
  const positions = FLOAT * positionFloats(blueprintOf(config), blockShape(options), virtual);
  const prefix = FLOAT * prefixFloats(config, virtual, training);
  const prefixParts = adapter?.kind === 'prefix' ? Object.values(prefixGraphs(graphs, adapter)) : [];

  const factors = embeddingFactorWork(options, graphs, backwards);

  const inBlock = Math.max(
    ...kinds.map(({ transient }) => transient),
    ...prefixParts.map(transientBytes),
    factors.transient,
  );

  const trained = sizes(options);
  const driverBytes = driverBytesOf(kinds, head.graphs);
  const decoded = dequantisedBytes(options, kinds);
  return {
    driverBytes,
    floatBytes: decoded || FLOAT * trained.weights,
    graphs: [
      ...kinds.flatMap((kind) => kind.graphs),
      ...head.graphs.map((graph) => ({ role: 'head' as const, graph })),
    ],
    savedBuffers: kinds.flatMap(({ saved, count }) => saved.map((bytes) => ({ bytes, count }))),
    parts: {
      weights: options.weightBytes + (trainable === 'full' ? FLOAT * trained.weights : 0),
      adapter: FLOAT * (trained.adapter + trained.first),
      gradients: FLOAT * { adapter: trained.adapter, full: trained.weights, none: 0 }[trainable],
      activations: activationBytes(options, kinds, backwards),
      logits: head.buffers + (head.transient > inBlock ? head.transient : 0),
      workspace:
        positions +
        prefix +
        factors.buffers +
        decoded +
        driverBytes +
        (head.transient > inBlock ? 0 : inBlock),
    },
    flops: kinds.reduce((total, { count, flops }) => total + count * flops, 0) + headFlops + factors.flops,
  };
}

/** The graphs of a prefix have a few nodes: their sessions take next to nothing. */
const driverBytesOf = (kinds: readonly BlockKind[], heads: readonly Graph[]): number =>
  DRIVER_BYTES +
  sumOf(
    [...kinds.flatMap(({ graphs }) => graphs.map(({ graph }) => graph)), ...heads.slice(0, 1)],
    sessionBytes,
  );

const graphOptions = (options: DecoderPlanOptions): GraphOptions => ({
  config: options.config,
  adapter: options.adapter,
  trainable: options.trainable,
  precision: options.precision,
  smoothing: options.smoothing,
  // those of AVX-512; smaller ones take as much memory
  tiles: options.tiled ? NF4_TILE : undefined,
});

/** The factors over an embedding: the columns of A of the tokens, and their gradients. */
function embeddingFactorWork(
  { config, adapter, rows, length }: DecoderPlanOptions,
  graphs: GraphOptions,
  backwards: boolean,
): Readonly<Record<'buffers' | 'transient' | 'flops', number>> {
  const layer = adaptedOuterOf(config, adapter, 'embedding');
  if (layer === undefined) return { buffers: 0, transient: 0, flops: 0 };
  const tokens = rows * length;
  const { forward, backward } = embeddingFactorGraphs(graphs, layer, { tokens, gathers: false });
  const run = backwards ? [forward, backward] : [forward];
  return {
    buffers: FLOAT * tokens * layer.branch.rank * run.length,
    transient: Math.max(...run.map(transientBytes)),
    flops: sumOf(run, flopsOf),
  };
}

/** Hidden states and their gradients, what blocks save for the backward pass, and masks that are drawn again. */
function activationBytes(
  { config, rows, length }: DecoderPlanOptions,
  kinds: readonly BlockKind[],
  backwards: boolean,
): number {
  const hidden = FLOAT * rows * length * config.hiddenSize;
  const saved = kinds.reduce(
    (total, { count, saved: each }) => total + count * each.reduce((sum, bytes) => sum + bytes, 0),
    0,
  );
  const scratch = Math.max(0, ...kinds.map(({ drawn }) => drawn));
  // hidden states after every layer, or two in turn; and their gradients, two in turn
  return (backwards ? config.layers + 1 + 2 : 2) * hidden + saved + scratch;
}

/** Lists of tensors are made once for a model. */
const counts = new WeakMap<readonly NamedShape[], number>();

function elements(shapes: readonly NamedShape[]): number {
  const count = counts.get(shapes) ?? shapes.reduce((total, { shape }) => total + sizeOf(shape), 0);
  counts.set(shapes, count);
  return count;
}

/** Elements of the weights, of the adapter's trained tensors, and of those that it began with. */
function sizes({
  config,
  adapter,
}: DecoderPlanOptions): Readonly<Record<'weights' | 'adapter' | 'first', number>> {
  const of = (shapes: (config: ModelConfig, adapter: AdapterConfig) => readonly NamedShape[]): number =>
    adapter === undefined ? 0 : elements(shapes(config, adapter));
  return { weights: elements(expectedTensors(config)), adapter: of(adapterShapes), first: of(firstShapes) };
}

/**
 * The workspace into which a block or the head is dequantised, the largest of them, and the lanes of other threads; where graphs
 * do it, what one of a block and that of the head have, each of which a runtime keeps for the next ones.
 */
function dequantisedBytes(options: DecoderPlanOptions, kinds: readonly BlockKind[]): number {
  const { config, dequantised, trainable, vocabularyShard, lanes = 1, tiled = false } = options;
  if (trainable === 'full' || !(dequantised.blocks || dequantised.head)) return 0;
  const blueprint = blueprintOf(config);
  const tensors = Object.values(blueprint.blocks).map((block) => blockTensors(block, config.headDim));
  const [vocabulary = 0, ...rest] = blueprint.head.output.shape;
  const output = {
    ...blueprint.head.output,
    shape: [Math.min(vocabulary, vocabularyShard ?? vocabulary), ...rest],
  };
  const ofHead = [...headNormTensors(blueprint), output].map(({ shape }) => ({ shape, isShared: false }));
  if (dequantised.inGraph !== undefined) {
    const names = new Set(tensors.flat().flatMap(({ name, shape }) => (shape.length > 1 ? [name] : [])));
    const read = kinds.flatMap((kind) => kind.graphs.map(({ graph }) => mostRead(graph, names)));
    return (
      (dequantised.blocks ? dequantised.inGraph * Math.max(0, ...read) : 0) +
      (dequantised.head ? FLOAT * sizeOf(output.shape) : 0)
    );
  }
  const blocks = tensors.map((block) => block.map(({ shape }) => ({ shape, isShared: shape.length > 1 })));
  const groups = [...(dequantised.blocks ? blocks : []), ...(dequantised.head ? [ofHead] : [])];
  const widest = Math.max(...blocks.flatMap((block) => block.map(({ shape: [, columns = 0] }) => columns)));
  // each thread lays out the rows of a tile at a time
  const turned = tiled ? 2 * NF4_TILE * widest * lanes : 0;
  return FLOAT * (turned + laneSizes(groups, lanes).reduce((sum, size) => sum + size, 0));
}

const sessionBytes = ({ nodes }: Graph): number =>
  SESSION_BYTES + NODE_BYTES * Math.max(0, nodes.length - SHORT_GRAPH);
