/** Bytes and operations of graphs, measured once for a model and a choice. */
import { transientBytes } from '../../tensor/liveness.js';
import { bytesOf, f32, sizeOf } from '../../tensor/shape.js';
import { multiplyTiles } from '../../tensor/tiles.js';
import type { Graph, NamedValue, ValueId } from '../../tensor/types.js';
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

/** Values of inputs of these names from each one's first read to its last, at most at a time. */
export function mostRead({ inputs, nodes, types }: Graph, names: ReadonlySet<string>): number {
  const wanted = new Set(inputs.flatMap(({ name, value }) => (names.has(name) ? [value] : [])));
  const left = nodes.flatMap((node) => node.inputs.filter((value) => wanted.has(value)));
  const [held, reads] = [new Set<ValueId>(), new Map<ValueId, number>()];
  for (const value of left) reads.set(value, (reads.get(value) ?? 0) + 1);
  let [now, most] = [0, 0];
  for (const value of left) {
    const size = sizeOf(types[value]?.shape ?? [0]);
    if (!held.has(value)) now += size;
    held.add(value);
    most = Math.max(most, now);
    reads.set(value, (reads.get(value) ?? 0) - 1);
    if (reads.get(value) === 0) now -= size;
  }
  return most;
}

/** Bytes of some of a graph's values. */
export const valueBytes = (graph: Graph, values: readonly NamedValue[]): number =>
  values.reduce((total, { value }) => total + bytesOf(graph.types[value] ?? f32([0])), 0);

export const sumOf = (graphs: readonly Graph[], measure: (graph: Graph) => number): number =>
  graphs.reduce((total, graph) => total + measure(graph), 0);
