/** Keys and values that stay on a device: small graphs put them in their places, and the step graph appends to them. */
import { GraphBuilder } from '../../tensor/builder.js';
import type { Room } from '../../tensor/memory.js';
import { f32 } from '../../tensor/shape.js';
import type { Graph, HostTensor, Tensor, Tensors, ValueId } from '../../tensor/types.js';
import type { Caches } from './caches.js';
import type { Machine } from './machine.js';
import { floatTensor } from './parameters.js';

/** Both of a layer, under the names that graphs have for them. */
interface Place {
  readonly rooms: readonly Room[];
  readonly tensors: Readonly<Record<(typeof BOTH)[number], Tensor>>;
}

const BOTH = ['keys', 'values'] as const;

export function cachesOnDevice({ options, prefix, compiled }: Machine, count: number): Caches {
  const { config, runtime } = options;
  const { keyValueHeads: groups, headDim: dim, layers } = config;
  let rows = count;
  let size = 0;
  let places: readonly Place[] = [];
  let slots: HostTensor = floatTensor([0], new Float32Array(0));

  const placeFor = (): Place => {
    const [keys, values] = [runtime.memory.room(), runtime.memory.room()];
    const type = f32([rows * groups, size, dim]);
    return { rooms: [keys, values], tensors: { keys: keys.tensor(type), values: values.tensor(type) } };
  };
  const released = ({ rooms }: Place): void => {
    for (const room of rooms) room.release();
  };
  /** Writes what a graph makes of each layer's cache into a new place, one layer at a time. */
  const replaced = async (key: string, build: () => Graph, more: Tensors = {}): Promise<void> => {
    const next: Place[] = [];
    for (const place of places) {
      const made = placeFor();
      await (await compiled.get(key, build)).run({ ...place.tensors, ...more }, made.tensors);
      released(place);
      next.push(made);
    }
    places = next;
  };
  const tensorsOf = (layer: number): Place['tensors'] => {
    const place = places[layer];
    if (place === undefined) throw new RangeError(`layer ${layer} of ${places.length}`);
    return place.tensors;
  };
  return {
    appends: true,
    get size() {
      return size;
    },
    async grow(next) {
      const lanes = [rows * groups, size, dim];
      const key = `cache ${lanes.join('x')} to ${next}`;
      const more = next - size;
      size = next;
      // what is empty is written as a whole
      if (places.length === 0) places = Array.from({ length: layers }, placeFor);
      else await replaced(key, () => ofBoth('grow', lanes, (b, cache) => b.pad(cache, 1, 0, more)));
    },
    async fill(layer, keys, values) {
      const virtual = prefix.inputs(layer);
      const [, length = 0] = keys.type.shape;
      const fit = { rows, groups, size, dim, length, virtual: prefix.tokens };
      const graph = await compiled.get(`cache of ${Object.values(fit).join()}`, () => fillGraph(fit));
      await graph.run({ keys, values, ...virtual }, tensorsOf(layer));
    },
    inputs(layer, lengths) {
      // the same for every layer of a step
      if (layer === 0) slots = floatTensor([rows, 1, 1, 1], Float32Array.from(lengths));
      return { ...tensorsOf(layer), slots };
    },
    outputs: (layer) => tensorsOf(layer),
    append() {},
    async keep(kept) {
      const lanes = [rows * groups, size, dim];
      const key = `cache ${lanes.join('x')} of ${kept.length}`;
      const from = kept.flatMap((row) => Array.from({ length: groups }, (_, group) => row * groups + group));
      const lane: HostTensor = { type: { dtype: 'i32', shape: [from.length] }, data: Int32Array.from(from) };
      rows = kept.length;
      await replaced(key, () => keepGraph(lanes, from.length), { lane });
    },
    release() {
      places.forEach(released);
      places = [];
      size = 0;
    },
  };
}

/** A graph that makes the same of `keys` and `values`. */
function ofBoth(
  name: string,
  shape: readonly number[],
  make: (b: GraphBuilder, cache: ValueId, name: string) => ValueId,
): Graph {
  const b = new GraphBuilder(name);
  for (const one of BOTH) b.output(one, make(b, b.input(one, shape), one));
  return b.build();
}

function keepGraph(lanes: readonly number[], count: number): Graph {
  const b = new GraphBuilder('keep');
  const lane = b.input('lane', [count], 'i32');
  for (const one of BOTH) b.output(one, b.gather(b.input(one, lanes), lane));
  return b.build();
}

interface Fit {
  readonly rows: number;
  readonly groups: number;
  readonly size: number;
  readonly dim: number;
  /** Positions of the padded prompts. */
  readonly length: number;
  /** Tokens of a prefix. */
  readonly virtual: number;
}

/** Keys and values of prompts at the front of a cache, behind those of a prefix. */
function fillGraph({ rows, groups, size, dim, length, virtual }: Fit): Graph {
  const taken = Math.min(length, size - virtual);
  return ofBoth('fill', [rows * groups, length, dim], (b, cache, name) => {
    const own = b.slice(cache, 1, 0, taken);
    const rest = size - virtual - taken;
    const padded = rest > 0 ? b.pad(own, 1, 0, rest) : own;
    if (virtual === 0) return padded;
    const lead = b.reshape(b.input(`prefix.${name}`, [groups, virtual, dim]), [1, groups, virtual, dim]);
    const leads = b.reshape(b.expand(lead, [rows, groups, virtual, dim]), [rows * groups, virtual, dim]);
    return b.concat([leads, padded], 1);
  });
}
