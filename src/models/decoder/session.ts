/** Generation: prompts go through the blocks at once, then one token a row over a cache of keys and values. */
import type { Tensor } from '../../tensor/types.js';
import { createCaches } from './caches.js';
import { stepGraph } from './graphs.js';
import { headLogits } from './head.js';
import type { Machine } from './machine.js';
import { turningLengthOf } from './positions.js';
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

export async function openSession(machine: Machine, count: number, capacity: number): Promise<DecodeSession> {
  const { config } = machine.options;
  const { prefix } = machine;
  const caches = createCaches(machine, count);
  let rows = count;
  /** Tokens that stand in the cache, or will, of each row: those of a prefix among them. */
  let lengths = new Int32Array(rows).fill(prefix.tokens);
  const positions = new StepPositions(machine.blueprint);
  const turning = turningLengthOf(machine.blueprint);
  /** The tokens of each row. */
  let texts: readonly number[][] = [];

  const grow = async (needed: number): Promise<void> => {
    if (needed > caches.size) await caches.grow(cacheSize(needed, capacity));
  };

  /**
   * All texts at once, padded on the right; only real tokens enter the cache, behind a prefix. Heads turn as in texts of
   * so many tokens more.
   */
  const fill = async (ids: readonly ArrayLike<number>[], more = 0) => {
    const longest = Math.max(...ids.map(({ length }) => length));
    const length = Math.min(
      Math.ceil(longest / LENGTH_BUCKET) * LENGTH_BUCKET,
      Math.max(longest, capacity - prefix.tokens),
    );
    const padded = new Int32Array(rows * length);
    ids.forEach((row, index) => {
      padded.set(row, index * length);
    });
    await grow(prefix.tokens + longest);
    const counts = ids.map((row) => row.length);
    const batch = { rows, length, lengths: counts.map((count) => count + more), ids: padded };
    const hidden = await evaluateStack(machine, batch, (layer, keys, values) =>
      caches.fill(layer, keys, values, counts),
    );
    return { hidden, length };
  };

  const prefill = async (ids: readonly Int32Array[]) => {
    const { hidden, length } = await fill(ids);
    texts = ids.map((row) => [...row]);
    lengths = Int32Array.from(ids, (row) => prefix.tokens + row.length);
    const last = ids.map((row, index) => index * length + row.length - 1);
    return headLogits(machine, hidden, last);
  };

  /** One token a row. */
  const step = async (ids: Int32Array) => {
    // a text that grows long turns otherwise from its first token on (transformers, `prepare_inputs_for_generation` of Phi-3)
    if (lengths.includes(turning)) await fill(texts, 1);
    texts.forEach((text, row) => {
      text.push(ids[row] ?? 0);
    });
    await grow(Math.max(...lengths) + 1);
    const { size, appends } = caches;
    const graphOf = (layer: number) => {
      const kind = machine.kindOf(layer);
      return machine.compiled.get(`step ${kind.key} ${rows}x${size}`, () =>
        stepGraph(machine.graphs, kind, { rows, capacity: size, appends }),
      );
    };
    positions.prepare(lengths, size);
    const state = (side: number): Tensor => machine.buffers.floats(`step.${side}`, [rows, config.hiddenSize]);
    let [x, y] = [state(0), state(1)];
    machine.parameters.publish();
    await machine.weights.embedding.write(ids, (row) => lengths[row] ?? 0, x);
    for (let layer = 0; layer < config.layers; layer++) {
      const graph = await graphOf(layer);
      const cache = caches.inputs(layer, lengths);
      await graph.run(
        { x, ...cache, ...positions.inputs(layer), ...machine.weights.block(layer) },
        { y, ...caches.outputs(layer) },
      );
      caches.append(layer, lengths);
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
      await caches.keep(kept);
      lengths = Int32Array.from(kept, (row) => lengths[row] ?? 0);
      texts = kept.map((row) => texts[row] ?? []);
      rows = kept.length;
    },
    async release() {
      caches.release();
    },
  };
}
