/** Generation: prompts go through the blocks at once, then one token a row over a cache of keys and values. */
import type { HostTensor, Tensor } from '../../tensor/types.js';
import type { ModelConfig } from '../types.js';
import { stepGraph } from './graphs.js';
import { headLogits } from './head.js';
import type { Machine } from './machine.js';
import { evaluateStack } from './stack.js';
import { StepPositions } from './step-positions.js';
import type { DecodeSession } from './types.js';

const LENGTH_BUCKET = 16;
const SMALLEST_CACHE = 64;

/** Doubles from 64 up to what the session may need, so that few graphs are compiled. */
function cacheSize(needed: number, most: number): number {
  let size = SMALLEST_CACHE;
  while (size < needed) size *= 2;
  return Math.max(needed, Math.min(size, most));
}

/** Keys and values of one layer, `[rows·groups, capacity, dim]` each. */
interface LayerCache {
  readonly keys: HostTensor & { readonly data: Float32Array };
  readonly values: HostTensor & { readonly data: Float32Array };
}

const floats = (shape: readonly number[]) => ({
  type: { dtype: 'f32' as const, shape },
  data: new Float32Array(shape.reduce((product, size) => product * size, 1)),
});

/** What a step reads and writes besides the caches, for this many rows. */
const stepTensors = (config: ModelConfig, rows: number) => {
  const { keyValueHeads: groups, headDim: dim } = config;
  return {
    key: floats([rows * groups, 1, dim]),
    value: floats([rows * groups, 1, dim]),
  };
};

export async function openSession(machine: Machine, count: number, capacity: number): Promise<DecodeSession> {
  const { config } = machine.options;
  const { prefix } = machine;
  const { keyValueHeads: groups, headDim: dim, layers } = config;
  let rows = count;
  /** Tokens that stand in the cache, or will, of each row: those of a prefix among them. */
  let lengths = new Int32Array(rows).fill(prefix.tokens);
  let size = 0;
  let caches: readonly LayerCache[] = [];
  const positions = new StepPositions(machine.blueprint, capacity);
  let tensors = stepTensors(config, rows);

  const grow = (needed: number) => {
    if (needed <= size) return;
    const next = cacheSize(needed, capacity);
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
  };

  /** Moves the rows that stay to the front of each cache, in place: they ascend, so none is overwritten unread. */
  const keepRows = (kept: readonly number[]) => {
    const lane = groups * size * dim;
    const front = ({ data }: { readonly data: Float32Array }) => {
      kept.forEach((from, to) => {
        data.copyWithin(to * lane, from * lane, (from + 1) * lane);
      });
      const type = { dtype: 'f32' as const, shape: [kept.length * groups, size, dim] };
      return { type, data: data.subarray(0, kept.length * lane) };
    };
    caches = caches.map(({ keys, values }) => ({ keys: front(keys), values: front(values) }));
    lengths = Int32Array.from(kept, (row) => lengths[row] ?? 0);
    rows = kept.length;
    tensors = stepTensors(config, rows);
  };

  /** All prompts at once, padded on the right; only real tokens enter the cache, behind a prefix. */
  const prefill = async (ids: readonly Int32Array[]) => {
    const longest = Math.max(...ids.map(({ length }) => length));
    const length = Math.min(
      Math.ceil(longest / LENGTH_BUCKET) * LENGTH_BUCKET,
      Math.max(longest, capacity - prefix.tokens),
    );
    const padded = new Int32Array(rows * length);
    ids.forEach((row, index) => {
      padded.set(row, index * length);
      lengths[index] = prefix.tokens + row.length;
    });
    grow(prefix.tokens + longest);
    const before = prefix.tokens * dim;
    const copy = (lead: HostTensor | undefined, from: HostTensor, to: Float32Array) => {
      const source = from.data as Float32Array;
      const virtual = lead?.data as Float32Array | undefined;
      for (let lane = 0; lane < rows * groups; lane++) {
        const [row, group] = [Math.floor(lane / groups), lane % groups];
        const count = (ids[row]?.length ?? 0) * dim;
        const start = lane * size * dim;
        if (virtual !== undefined) to.set(virtual.subarray(group * before, (group + 1) * before), start);
        to.set(source.subarray(lane * length * dim, lane * length * dim + count), start + before);
      }
    };
    const hiddenStates = await evaluateStack(
      machine,
      { rows, length, ids: padded },
      (layer, keys, values) => {
        const cache = caches[layer];
        if (cache === undefined) return;
        const virtual = prefix.inputs(layer);
        copy(virtual['prefix.keys'], keys, cache.keys.data);
        copy(virtual['prefix.values'], values, cache.values.data);
      },
    );
    const last = ids.map((row, index) => index * length + row.length - 1);
    return headLogits(machine, hiddenStates, last);
  };

  /** One token a row. */
  const step = async (ids: Int32Array) => {
    grow(Math.max(...lengths) + 1);
    const graphOf = (layer: number) => {
      const kind = machine.kindOf(layer);
      return machine.compiled.get(`step ${kind.key} ${rows}x${size}`, () =>
        stepGraph(machine.graphs, kind, rows, size),
      );
    };
    const { key, value } = tensors;
    positions.prepare(lengths, size);
    const state = (side: number): Tensor => machine.buffers.floats(`step.${side}`, [rows, config.hiddenSize]);
    let [x, y] = [state(0), state(1)];
    machine.parameters.publish();
    await machine.weights.embedding.write(ids, (row) => lengths[row] ?? 0, x);
    for (const [layer, { keys, values }] of caches.entries()) {
      const graph = await graphOf(layer);
      await graph.run(
        { x, keys, values, ...positions.inputs(layer), ...machine.weights.block(layer) },
        { y, key, value },
      );
      for (let lane = 0; lane < rows * groups; lane++) {
        const to = (lane * size + (lengths[Math.floor(lane / groups)] ?? 0)) * dim;
        keys.data.set(key.data.subarray(lane * dim, (lane + 1) * dim), to);
        values.data.set(value.data.subarray(lane * dim, (lane + 1) * dim), to);
      }
      [x, y] = [y, x];
    }
    lengths.forEach((length, row) => {
      lengths[row] = length + 1;
    });
    return headLogits(machine, x, Array.from(lengths.keys()));
  };

  let begun = false;
  return {
    async append(ids) {
      const counts = ids.map(({ length }) => length);
      const [first = 0] = counts;
      if (ids.length !== rows) throw new RangeError(`${ids.length} rows for a session of ${rows}`);
      if (counts.includes(0)) throw new RangeError('every row must get at least one token');
      if (counts.some((count, row) => count + (lengths[row] ?? 0) > capacity))
        throw new RangeError(`a row would exceed the ${capacity} tokens of the session`);
      if (!begun) {
        begun = true;
        return prefill(ids);
      }
      if (counts.some((count) => count !== first))
        throw new RangeError('rows may differ in length only in the first call');
      let logits = new Float32Array(0);
      for (let token = 0; token < first; token++)
        logits = (await step(Int32Array.from(ids, (row) => row[token] ?? 0))) as Float32Array<ArrayBuffer>;
      return logits;
    },
    async keep(kept) {
      if (kept.some((row, i) => row < 0 || row >= rows || row <= (kept[i - 1] ?? -1)))
        throw new RangeError(`rows ${kept.join(', ')} are no ascending choice of ${rows}`);
      keepRows(kept);
    },
    async release() {
      caches = [];
      size = 0;
    },
  };
}
