/** Generation: prompts go through the blocks at once, then one token per row over a cache of keys and values. */
import type { Tensor } from '../../tensor/types.js';
import { virtualTokensOf } from '../adapters/kinds.js';
import { promptTokens } from '../adapters/prompt.js';
import { type Caches, cacheSize, HostCaches } from './caches.js';
import type { DecoderContext } from './context.js';
import { DeviceCaches } from './device-caches.js';
import { extendStack } from './extension.js';
import { decodeStepGraph } from './graphs.js';
import { headLogits, logitsWidth } from './head.js';
import { DecodePositions } from './position-inputs.js';
import { turningLengthOf } from './positions.js';
import { evaluateStack } from './stack.js';
import type { StoredSteps } from './stored-step.js';
import { promptedIds } from './supervision.js';
import type { DecodeSession } from './types.js';

const LENGTH_BUCKET = 16;

/** By this factor a cache must be too large before it is moved into a smaller one. */
const MUCH_SMALLER = 4;

/** `capacity`: tokens of a row, without the virtual tokens of an adapter. */
export const openSession = (
  context: DecoderContext,
  steps: StoredSteps,
  rows: number,
  capacity: number,
): DecodeSession =>
  new Session(context, steps, rows, capacity + virtualTokensOf(context.options.adapter?.config));

class Session implements DecodeSession {
  readonly extends: boolean;
  private readonly caches: Caches;
  private readonly positions: DecodePositions;
  /** Tokens of each row in the cache, those of a prefix included. */
  private lengths: Int32Array;
  /** The tokens of each row. */
  private texts: readonly number[][] = [];
  private begun = false;
  /** The logits of the last call. */
  private written = new Float32Array(0);

  constructor(
    private readonly context: DecoderContext,
    private readonly steps: StoredSteps,
    rows: number,
    /** Tokens of a row, virtual ones included. */
    private readonly capacity: number,
  ) {
    this.caches = createCaches(context, rows);
    this.positions = new DecodePositions(context.blueprint);
    this.lengths = new Int32Array(rows).fill(context.prefix.tokens);
    this.extends =
      this.caches instanceof HostCaches &&
      virtualTokensOf(context.options.adapter?.config) === 0 &&
      !Number.isFinite(turningLengthOf(context.blueprint));
  }

  async append(ids: readonly Int32Array[], logits: 'last' | 'every' = 'last'): Promise<Float32Array> {
    this.context.compiled.begin();
    const virtual = promptTokens(this.context.options.adapter?.config);
    const whole = this.begun || virtual === 0 ? ids : ids.map((row) => promptedIds(row, virtual));
    this.checkRoom(whole);
    const [first = new Int32Array(0), ...others] = whole;
    if (logits === 'every' && (others.length > 0 || virtual > 0))
      throw new RangeError('every logit is given for one row, without virtual tokens');
    if (!this.begun) {
      this.begun = true;
      return this.prefill(whole, logits);
    }
    if (this.extends && whole.some(({ length }) => length > 1)) return this.extend(whole, logits);
    if (others.some(({ length }) => length !== first.length))
      throw new RangeError('rows may differ in length only in the first call');
    let last: Float32Array = new Float32Array(0);
    const given: Float32Array[] = [];
    for (let token = 0; token < first.length; token++) {
      const after = await this.step(Int32Array.from(whole, (row) => row[token] ?? 0));
      if (logits === 'last') last = after;
      else given.push(after.slice());
    }
    return logits === 'last' ? last : joined(given);
  }

  async keep(kept: readonly number[]): Promise<void> {
    const rows = this.lengths.length;
    if (kept.some((row, to) => row < to || row >= rows) || new Set(kept).size < kept.length)
      throw new RangeError(`rows ${kept.join(', ')} are no choice of ${rows} of which none moves back`);
    await this.caches.keep(kept);
    this.lengths = Int32Array.from(kept, (row) => this.lengths[row] ?? 0);
    this.texts = kept.map((row) => this.texts[row] ?? []);
    if (kept.length === 0) this.caches.release();
    else await this.fit();
  }

  async join(other: DecodeSession): Promise<void> {
    if (!(other instanceof Session) || other.context !== this.context)
      throw new RangeError('only rows of a session of the same decoder can join');
    const size = Math.max(this.caches.size, other.caches.size);
    for (const { caches } of [this, other]) if (caches.size < size) await caches.resize(size);
    await this.caches.join(other.caches);
    this.lengths = Int32Array.from([...this.lengths, ...other.lengths]);
    this.texts = [...this.texts, ...other.texts];
    this.begun = true;
    await other.release();
  }

  read(row: number, start: number, end: number): Float32Array {
    return this.hostCaches().read(row, start, end);
  }

  async restore(
    rows: readonly (readonly { readonly ids: ArrayLike<number>; readonly data: Float32Array }[])[],
  ): Promise<void> {
    if (this.begun || rows.length !== this.lengths.length)
      throw new RangeError(`only a fresh session of ${rows.length} rows is restored`);
    const caches = this.hostCaches();
    const texts = rows.map((pieces) => pieces.flatMap(({ ids }) => Array.from(ids)));
    await this.grow(Math.max(...texts.map(({ length }) => length)));
    for (const [row, pieces] of rows.entries()) {
      let start = 0;
      for (const { ids, data } of pieces) {
        caches.write(row, data, start);
        start += ids.length;
      }
    }
    [this.begun, this.texts, this.lengths] = [true, texts, Int32Array.from(texts, ({ length }) => length)];
  }

  async release(): Promise<void> {
    this.caches.release();
  }

  private hostCaches(): HostCaches {
    if (!this.extends || !(this.caches instanceof HostCaches))
      throw new RangeError('keys and values of this session cannot be read');
    return this.caches;
  }

  private checkRoom(ids: readonly Int32Array[]): void {
    const rows = this.lengths.length;
    if (ids.length !== rows) throw new RangeError(`${ids.length} rows for a session of ${rows}`);
    if (ids.some(({ length }) => length === 0)) throw new RangeError('every row must get at least one token');
    if (ids.some(({ length }, row) => length + (this.lengths[row] ?? 0) > this.capacity))
      throw new RangeError(`a row would exceed the ${this.capacity} tokens of the session`);
  }

  /** Logits `[rows, vocab]` after each prompt, or after every token of one. */
  private async prefill(ids: readonly Int32Array[], logits: 'last' | 'every'): Promise<Float32Array> {
    const { hidden, length } = await this.fill(ids);
    this.texts = ids.map((row) => [...row]);
    this.lengths = Int32Array.from(ids, (row) => this.context.prefix.tokens + row.length);
    return this.logitsOf(hidden, length, ids, logits);
  }

  /** More tokens of every row at once; logits after the last of each, or after each of the only row. */
  private async extend(ids: readonly Int32Array[], logits: 'last' | 'every'): Promise<Float32Array> {
    const starts = this.lengths;
    const lengths = Int32Array.from(ids, (row, at) => row.length + (starts[at] ?? 0));
    await this.grow(Math.max(...lengths));
    const { hidden, length } = await extendStack(this.context, this.hostCaches(), ids, starts);
    for (const [at, row] of ids.entries()) this.texts[at]?.push(...row);
    this.lengths = lengths;
    return this.logitsOf(hidden, length, ids, logits);
  }

  /** After the last token of each row, of rows that are padded to `length`, or after every token of the only one. */
  private logitsOf(
    hidden: Tensor,
    length: number,
    ids: readonly Int32Array[],
    logits: 'last' | 'every',
  ): Promise<Float32Array> {
    const { context } = this;
    if (logits === 'every') return headLogits(context, hidden, Array.from(ids[0]?.keys() ?? []));
    const last = ids.map((row, at) => at * length + row.length - 1);
    return headLogits(context, hidden, last, this.logits(last.length));
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
    const found = (await this.storedStep(ids)) ?? { hidden: await this.throughBlocks(ids) };
    this.lengths = this.lengths.map((length) => length + 1);
    if ('logits' in found) return found.logits;
    return headLogits(context, found.hidden, Array.from(ids.keys()), this.logits(ids.length));
  }

  /** One token per row, where that can be computed over weights as they are stored. */
  private async storedStep(ids: Int32Array) {
    const { caches, context, lengths, positions } = this;
    if (!(caches instanceof HostCaches)) return undefined;
    const stored = await this.steps.next(ids.length);
    return stored?.run((x) => context.weights.embedding.write(ids, (row) => lengths[row] ?? 0, x), {
      caches,
      positions,
      lengths,
      logits: this.logits(ids.length),
    });
  }

  /** What the logits of so many rows are written into, over and over: fresh pages cost more than what fills them. */
  private logits(rows: number): Float32Array {
    const length = rows * logitsWidth(this.context);
    if (this.written.length < length) this.written = new Float32Array(length);
    return this.written.subarray(0, length);
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
          ...(await weights.block(layer)),
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
    if (needed > this.caches.size) await this.caches.resize(cacheSize(needed, this.capacity));
  }

  /** Attention takes as long as the cache is large: after a long row has left, the others go on in a smaller one. */
  private async fit(): Promise<void> {
    const size = cacheSize(Math.max(...this.lengths) + 1, this.capacity);
    if (size * MUCH_SMALLER <= this.caches.size) await this.caches.resize(size);
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Within the memory of the host, arrays that are appended to in place are faster than graphs that write whole caches. */
const createCaches = (context: DecoderContext, rows: number): Caches =>
  context.options.runtime.device === 'GPU' ? new DeviceCaches(context, rows) : new HostCaches(context, rows);
