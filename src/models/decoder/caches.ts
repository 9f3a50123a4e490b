/** Keys and values of every layer, from token to token of a generation. */
import { onHost } from '../../tensor/memory.js';
import type { HostTensor, Tensor, Tensors } from '../../tensor/types.js';
import { cachesOnDevice } from './device-caches.js';
import type { Machine } from './machine.js';
import { floatTensor } from './parameters.js';

/**
 * Of each layer `[rows·groups, size, dim]`: arrays of the host, or tensors that stay where the runtime computes. Tokens of
 * a prefix, if there is one, stand before those of the texts.
 */
export interface Caches {
  /** Positions that each row has room for: 0 before the first {@link grow}. */
  readonly size: number;
  grow(size: number): Promise<void>;
  /**
   * Takes the keys and values `[rows·groups, length, dim]` of the prompts, of which row r has `counts[r]`; what lies behind
   * is hidden until a token takes its place.
   */
  fill(layer: number, keys: Tensor, values: Tensor, counts: readonly number[]): Promise<void>;
  /** Whether step graphs append, and give the caches with their token in them. */
  readonly appends: boolean;
  /** What a layer's step graph reads and gives, for rows of these lengths. */
  inputs(layer: number, lengths: Int32Array): Tensors;
  outputs(layer: number): Tensors;
  /** Behind a run of the step graph: its token stands in the cache. */
  append(layer: number, lengths: Int32Array): void;
  /** Goes on with these rows alone, which ascend. */
  keep(rows: readonly number[]): Promise<void>;
  release(): void;
}

/** Within the memory of the host, arrays that are appended to in place are faster than graphs that write caches anew. */
export const createCaches = (machine: Machine, rows: number): Caches =>
  machine.options.runtime.device === 'GPU' ? cachesOnDevice(machine, rows) : cachesOnHost(machine, rows);

type Floats = HostTensor & { readonly data: Float32Array };

interface LayerCache {
  readonly keys: Floats;
  readonly values: Floats;
}

const floats = (shape: readonly number[]): Floats =>
  floatTensor(shape, new Float32Array(shape.reduce((product, size) => product * size, 1))) as Floats;

function cachesOnHost({ options, prefix }: Machine, count: number): Caches {
  const { keyValueHeads: groups, headDim: dim, layers } = options.config;
  let rows = count;
  let size = 0;
  let caches: readonly LayerCache[] = [];
  const stepTensors = () => ({
    key: floats([rows * groups, 1, dim]),
    value: floats([rows * groups, 1, dim]),
  });
  let step = stepTensors();
  const cacheOf = (layer: number): LayerCache => {
    const cache = caches[layer];
    if (cache === undefined) throw new RangeError(`layer ${layer} of ${caches.length}`);
    return cache;
  };
  return {
    appends: false,
    get size() {
      return size;
    },
    async grow(next) {
      const widened = (old: Float32Array) => {
        const tensor = floats([rows * groups, next, dim]);
        for (let lane = 0; lane < rows * groups; lane++)
          tensor.data.set(old.subarray(lane * size * dim, (lane + 1) * size * dim), lane * next * dim);
        return tensor;
      };
      const none = new Float32Array(0);
      caches = Array.from({ length: layers }, (_, layer) => ({
        keys: widened(caches[layer]?.keys.data ?? none),
        values: widened(caches[layer]?.values.data ?? none),
      }));
      size = next;
    },
    async fill(layer, keys, values, counts) {
      const cache = cacheOf(layer);
      const before = prefix.tokens * dim;
      const copy = async (lead: Tensor | undefined, from: Tensor, to: Float32Array) => {
        const source = (await options.runtime.memory.read(from)).data as Float32Array;
        const virtual = lead && (onHost(lead).data as Float32Array);
        const length = source.length / (rows * groups);
        for (let lane = 0; lane < rows * groups; lane++) {
          const [row, group] = [Math.floor(lane / groups), lane % groups];
          const start = lane * size * dim;
          if (virtual !== undefined) to.set(virtual.subarray(group * before, (group + 1) * before), start);
          to.set(source.subarray(lane * length, lane * length + (counts[row] ?? 0) * dim), start + before);
        }
      };
      const virtual = prefix.inputs(layer);
      await copy(virtual['prefix.keys'], keys, cache.keys.data);
      await copy(virtual['prefix.values'], values, cache.values.data);
    },
    inputs: (layer) => ({ ...cacheOf(layer) }),
    outputs: () => step,
    append(layer, lengths) {
      const { keys, values } = cacheOf(layer);
      for (let lane = 0; lane < rows * groups; lane++) {
        const to = (lane * size + (lengths[Math.floor(lane / groups)] ?? 0)) * dim;
        keys.data.set(step.key.data.subarray(lane * dim, (lane + 1) * dim), to);
        values.data.set(step.value.data.subarray(lane * dim, (lane + 1) * dim), to);
      }
    },
    /** Moves the rows that stay to the front of each cache, in place: they ascend, so none is overwritten unread. */
    async keep(kept) {
      const lane = groups * size * dim;
      const front = ({ data }: Floats): Floats => {
        kept.forEach((from, to) => {
          data.copyWithin(to * lane, from * lane, (from + 1) * lane);
        });
        return floatTensor([kept.length * groups, size, dim], data.subarray(0, kept.length * lane)) as Floats;
      };
      caches = caches.map(({ keys, values }) => ({ keys: front(keys), values: front(values) }));
      rows = kept.length;
      step = stepTensors();
    },
    release() {
      caches = [];
      size = 0;
    },
  };
}
