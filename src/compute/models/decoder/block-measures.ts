/** What the blocks of a decoder take in a micro batch, by kinds of blocks that share their graphs. */
import { flopsOf } from '../../tensor/cost.js';
import type { Graph, NamedValue } from '../../tensor/types.js';
import { type LayerKind, layerKinds } from '../adapters/kinds.js';
import { perOptions, sumOf, tiledTransientBytes, valueBytes } from './graph-measures.js';
import {
  blockShape,
  evaluationBlock,
  type GraphOptions,
  type SavedActivations,
  savedActivationsOf,
  savesMasks,
  shapeName,
  trainingBlock,
} from './graphs.js';
import type { DecoderPlan, DecoderPlanOptions } from './types.js';

/** A kind of block and how many layers are of it. */
export interface BlockKind extends MeasuredBlock {
  readonly count: number;
}

/** Layers that share their graphs, counted. */
export function blockKinds(
  options: DecoderPlanOptions,
  graphs: GraphOptions,
  training: boolean,
): readonly BlockKind[] {
  const counted = new Map<string, CountedBlock>();
  const shape = blockShape(options);
  layerKinds(options.config, options.adapter).forEach((kind, layer) => {
    const savedActivations: SavedActivations = training
      ? savedActivationsOf(layer, options, graphs, kind, shape)
      : 'nothing';
    // the first block of an adapter run has graphs of its own: nobody needs the gradient of its input
    const first = training && layer === 0 && graphs.trainable === 'adapter';
    const key = `${kind.key} ${savedActivations} ${first}`;
    const count = (counted.get(key)?.count ?? 0) + 1;
    counted.set(key, { count, savedActivations, first, kind });
  });
  return [...counted].map(([key, { count, savedActivations, kind, first }]) => ({
    count,
    ...blockMeasures(graphs, `${key} ${shapeName(shape)} ${training}`, () => ({
      options: graphs,
      savedActivations,
      ...(training
        ? trainingBlock(graphs, kind, shape, savedActivations, first)
        : { forward: evaluationBlock(graphs, kind, shape, false) }),
    })),
  }));
}

interface CountedBlock {
  readonly count: number;
  readonly kind: LayerKind;
  readonly savedActivations: SavedActivations;
  /** Nobody needs the gradient of its input. */
  readonly first: boolean;
}

interface BlockGraphs {
  readonly options: GraphOptions;
  readonly forward: Graph;
  readonly backward?: Graph;
  readonly savedActivations: SavedActivations;
}

/** The graphs of a block, and what they take. */
interface MeasuredBlock {
  readonly graphs: DecoderPlan['graphs'];
  /** Bytes while one of them runs, at most. */
  readonly transient: number;
  /** Bytes of each tensor from its forward to its backward pass, besides its input. */
  readonly saved: readonly number[];
  /** Bytes of masks that are drawn again. */
  readonly drawn: number;
  readonly flops: number;
}

/** Choices differ in how many blocks of a kind there are, and seldom in their kinds: each is measured once for a model. */
const blockMeasures = perOptions((block: BlockGraphs): MeasuredBlock => {
  const { forward, backward, savedActivations, options } = block;
  const passes = backward === undefined ? [forward] : [forward, backward];
  return {
    graphs: [
      { role: 'block_forward', graph: forward },
      ...(backward === undefined ? [] : [{ role: 'block_backward' as const, graph: backward }]),
    ],
    transient: Math.max(...passes.map((graph) => tiledTransientBytes(graph, options))),
    saved: savedTensors(block),
    drawn: savesMasks(savedActivations) ? 0 : valueBytes(forward, masksOf(forward)),
    flops: sumOf(passes, flopsOf),
  };
});

const masksOf = (graph: Graph): readonly NamedValue[] =>
  graph.inputs.filter(({ name }) => name.startsWith('dropout.'));

/** What a block saves from its forward to its backward pass, besides its input. */
function savedTensors({ forward, savedActivations }: BlockGraphs): readonly number[] {
  const masks = savesMasks(savedActivations) ? masksOf(forward) : [];
  const residuals = savedActivations === 'nothing' ? [] : forward.outputs.filter(({ name }) => name !== 'y');
  return [...masks, ...residuals].map((value) => valueBytes(forward, [value]));
}
