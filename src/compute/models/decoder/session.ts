/** Generation: prompts go through the blocks at once, then one token per row over a cache of keys and values. */
import type { Tensor } from '../../tensor/types.js';
import { virtualTokensOf } from '../adapters/kinds.js';
import { promptTokens } from '../adapters/prompt.js';
import { type Caches, HostCaches } from './caches.js';
import type { DecoderContext } from './context.js';
import { DeviceCaches } from './device-caches.js';
import { decodeStepGraph } from './graphs.js';
import { headLogits } from './head.js';
import { DecodePositions } from './position-inputs.js';
import { turningLengthOf } from './positions.js';
import { evaluateStack } from './stack.js';
import { promptedIds } from './supervision.js';
import type { DecodeSession } from './types.js';

const LENGTH_BUCKET = 16;
const SMALLEST_CACHE = 64;

/** Doubles from 64 up to what the session may need, so that few graphs are compiled. */
function cacheSize(needed: number, most: number): number {
  let size = SMALLEST_CACHE;
  while (size < needed) size *= 2;
  return Math.max(needed, Math.min(size, most));
}

/** `capacity`: tokens of a row, without the virtual tokens of an adapter. */
export const openSession = (context: DecoderContext, rows: number, capacity: number): DecodeSession =>
  new Session(context, rows, capacity + virtualTokensOf(context.options.adapter?.config));

class Session implements DecodeSession {
  private readonly caches: Caches;
  private readonly positions: DecodePositions;
  /** Tokens of each row in the cache, those of a prefix included. */
  private lengths: Int32Array;
  /** The tokens of each row. */
  private texts: readonly number[][] = [];
  private begun = false;

  constructor(
    private readonly context: DecoderContext,
    rows: number,
    /** Tokens of a row, virtual ones included. */
    private readonly capacity: number,
  ) {
    this.caches = createCaches(context, rows);
    this.positions = new DecodePositions(context.blueprint);
    this.lengths = new Int32Array(rows).fill(context.prefix.tokens);
  }

  async append(ids: readonly Int32Array[]): Promise<Float32Array> {
    this.context.compiled.begin();
    const virtual = promptTokens(this.context.options.adapter?.config);
    const whole = this.begun || virtual === 0 ? ids : ids.map((row) => promptedIds(row, virtual));
    this.checkRoom(whole);
    if (!this.begun) {
      this.begun = true;
      return this.prefill(whole);
    }
    const [first = 0, ...others] = whole.map(({ length }) => length);
    if (others.some((count) => count !== first))
      throw new RangeError('rows may differ in length only in the first call');
    let logits = new Float32Array(0) as Float32Array;
    for (let token = 0; token < first; token++)
      logits = await this.step(Int32Array.from(whole, (row) => row[token] ?? 0));
    return logits;
  }

  async keep(kept: readonly number[]): Promise<void> {
    const rows = this.lengths.length;
    if (kept.some((row, i) => row < 0 || row >= rows || row <= (kept[i - 1] ?? -1)))
      throw new RangeError(`rows ${kept.join(', ')} are no ascending choice of ${rows}`);
    await this.caches.keep(kept);
    this.lengths = Int32Array.from(kept, (row) => this.lengths[row] ?? 0);
    this.texts = kept.map((row) => this.texts[row] ?? []);
  }

  async release(): Promise<void> {
    this.caches.release();
  }

  private checkRoom(ids: readonly Int32Array[]): void {
    const rows = this.lengths.length;
    if (ids.length !== rows) throw new RangeError(`${ids.length} rows for a session of ${rows}`);
    if (ids.some(({ length }) => length === 0)) throw new RangeError('every row must get at least one token');
    if (ids.some(({ length }, row) => length + (this.lengths[row] ?? 0) > this.capacity))
      throw new RangeError(`a row would exceed the ${this.capacity} tokens of the session`);
  }

  /** Logits `[rows, vocab]` after each prompt. */
  private async prefill(ids: readonly Int32Array[]): Promise<Float32Array> {
    const { hidden, length } = await this.fill(ids);
    this.texts = ids.map((row) => [...row]);
    this.lengths = Int32Array.from(ids, (row) => this.context.prefix.tokens + row.length);
    const last = ids.map((row, index) => index * length + row.length - 1);
    return headLogits(this.context, hidden, last);
  }

  /**
   * All texts at once, padded on the right; only real tokens enter the cache, after a prefix. Rotary angles are those
   * of texts with `more` tokens more.
   */
  private async fill(
    ids: readonly ArrayLike<number>[],
    more = 0,
  ): Promise<{ readonly hidden: Tensor; readonly length: number }> {
    const { tokens } = this.context.prefix;
    const counts = ids.map((row) => row.length);
    const longest = Math.max(...counts);
    const bucket = Math.ceil(longest / LENGTH_BUCKET) * LENGTH_BUCKET;
    const length = Math.min(bucket, Math.max(longest, this.capacity - tokens));
    const rows = ids.length;
    const padded = new Int32Array(rows * length);
    ids.forEach((row, index) => {
      padded.set(row, index * length);
    });
    await this.grow(tokens + longest);
    const batch = { rows, length, lengths: counts.map((count) => count + more), ids: padded };
    const hidden = await evaluateStack(this.context, batch, (layer, keys, values) =>
      this.caches.fill(layer, keys, values, counts),
    );
    return { hidden, length };
  }

  /** One token per row; gives the logits `[rows, vocab]` after it. */
  private async step(ids: Int32Array): Promise<Float32Array> {
    const { context } = this;
    // from this length on, all of a text is turned by other angles (transformers, `prepare_inputs_for_generation` of Phi-3)
    if (this.lengths.includes(turningLengthOf(context.blueprint))) await this.fill(this.texts, 1);
    this.texts.forEach((text, row) => {
      text.push(ids[row] ?? 0);
    });
    await this.grow(Math.max(...this.lengths) + 1);
    this.positions.prepare(this.lengths, this.caches.size);
    const hidden = await this.throughBlocks(ids);
    this.lengths = this.lengths.map((length) => length + 1);
    return headLogits(context, hidden, Array.from(ids.keys()));
  }

  /** Hidden states `[rows, hidden]` of one token per row, whose keys and values enter the cache. */
  private async throughBlocks(ids: Int32Array): Promise<Tensor> {
    const { buffers, options, parameters, weights } = this.context;
    const state = (side: number) => buffers.floats(`step.${side}`, [ids.length, options.config.hiddenSize]);
    let [x, y] = [state(0), state(1)];
    parameters.publish();
    await weights.embedding.write(ids, (row) => this.lengths[row] ?? 0, x);
    for (let layer = 0; layer < options.config.layers; layer++) {
      const graph = await this.graphOf(layer, ids.length);
      await graph.run(
        {
          x,
          ...this.caches.inputs(layer, this.lengths),
          ...this.positions.inputs(layer),
          ...weights.block(layer),
        },
        { y, ...this.caches.outputs(layer) },
      );
      this.caches.append(layer, this.lengths);
      [x, y] = [y, x];
    }
    return x;
  }

  private graphOf(layer: number, rows: number) {
    const { compiled, graphs, kindOf } = this.context;
    const kind = kindOf(layer);
    const { size, appends } = this.caches;
    return compiled.get(`step ${kind.key} ${rows}x${size}`, () =>
      decodeStepGraph(graphs, kind, { rows, capacity: size, appends }),
    );
  }

  private async grow(needed: number): Promise<void> {
    if (needed > this.caches.size) await this.caches.grow(cacheSize(needed, this.capacity));
  }
}

/** Within the memory of the host, arrays that are appended to in place are faster than graphs that write whole caches. */
const createCaches = (context: DecoderContext, rows: number): Caches =>
  context.options.runtime.device === 'GPU' ? new DeviceCaches(context, rows) : new HostCaches(context, rows);
