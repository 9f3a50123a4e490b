/** Bytes and operations of graphs, measured once for a model and a choice. */
import { transientBytes } from '../../tensor/liveness.js';
import { bytesOf, f32 } from '../../tensor/shape.js';
import { multiplyTiles } from '../../tensor/tiles.js';
import type { Graph, NamedValue } from '../../tensor/types.js';
import type { ModelConfig } from '../types.js';
import type { GraphOptions } from './graphs.js';

/** Measures of graphs that follow from the options and a name; kept as long as the model's config is. */
export function perOptions<G, M>(
  measure: (graphs: G) => M,
): (options: GraphOptions, name: string, make: () => G) => M {
  const known = new WeakMap<ModelConfig, Map<string, M>>();
  return ({ config, adapter, trainable, precision, smoothing = 0, tiles }, name, make) => {
    const ofModel = known.get(config) ?? new Map<string, M>();
    known.set(config, ofModel);
    const key = `${name} ${trainable} ${precision} ${smoothing} ${tiles} ${JSON.stringify(adapter)}`;
    const found = ofModel.get(key) ?? measure(make());
    ofModel.set(key, found);
    return found;
  };
}

/** Bytes that exist only while a graph runs, in a runtime that takes tiles as they are. */
export const tiledTransientBytes = (graph: Graph, { tiles }: GraphOptions): number =>
  transientBytes(tiles === undefined ? graph : multiplyTiles(graph, tiles));

/** Bytes of some of a graph's values. */
export const valueBytes = (graph: Graph, values: readonly NamedValue[]): number =>
  values.reduce((total, { value }) => total + bytesOf(graph.types[value] ?? f32([0])), 0);

export const sumOf = (graphs: readonly Graph[], measure: (graph: Graph) => number): number =>
  graphs.reduce((total, graph) => total + measure(graph), 0);
