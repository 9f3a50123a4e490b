import { discarded } from '../../tensor/garbage.js';
import { onHost } from '../../tensor/memory.js';
import type { Tensor, Tensors } from '../../tensor/types.js';
import type { DecoderContext } from './context.js';
import { floatTensor, type HostFloats, zeros } from './parameters.js';

/**
 * Keys and values of every layer, from token to token of a generation, `[rows, groups, size, dim]` each: arrays of the
 * host, or tensors that stay where the runtime computes. Tokens of a prefix, if there is one, are before those of the texts.
 */
export interface Caches {
  readonly rows: number;
  /** Positions that each row has room for: 0 before the first {@link resize}. */
  readonly size: number;
  /** What is beyond the new size is lost. */
  resize(size: number): Promise<void>;
  /**
   * Takes the keys and values `[rows·groups, length, dim]` of the prompts, of which row r has `counts[r]`; what lies after
   * is hidden until a token takes its place.
   */
  fill(layer: number, keys: Tensor, values: Tensor, counts: readonly number[]): Promise<void>;
  /** Whether step graphs append, and give the caches with their token in them. */
  readonly appends: boolean;
  /** What a layer's step graph reads and gives, for rows of these lengths. */
  inputs(layer: number, lengths: Int32Array): Tensors;
  outputs(layer: number): Tensors;
  /** After a run of the step graph: its token is in the cache. */
  append(layer: number, lengths: Int32Array): void;
  /** Goes on with these rows alone, none of which moves back. */
  keep(rows: readonly number[]): Promise<void>;
  /** Takes the rows of others of its kind, of the same size, after its own. */
  join(others: Caches): Promise<void>;
  release(): void;
}

const BOTH = ['keys', 'values'] as const;

type LayerCache = Readonly<Record<(typeof BOTH)[number], HostFloats>>;
type LayerFloats = Readonly<Record<(typeof BOTH)[number], Float32Array>>;

/** What a step gives for its token, in one layer: `[rows·groups, 1, dim]` each. */
export interface TokenCache {
  readonly key: HostFloats;
  readonly value: HostFloats;
}

/** Of the arrays, of which there may be more than is looked at. */
const bytesOf = ({ keys, values }: LayerCache): number =>
  keys.data.buffer.byteLength + values.data.buffer.byteLength;

const SMALLEST = 64;

/** Positions of a row: doubled from 64 up to what it may need, so that few graphs are compiled. */
export function cacheSize(needed: number, most: number): number {
  let size = SMALLEST;
  while (size < needed) size *= 2;
  return Math.max(needed, Math.min(size, most));
}

/** Those that a row has one after another, from what its prompt needs to what its answer may. */
export function cacheSizes(needed: number, most: number): readonly number[] {
  const size = cacheSize(needed, most);
  return size < most ? [size, ...cacheSizes(size + 1, most)] : [size];
}

/** Rows that there is room for where so many join: a quarter more, so that not every one of them moves all others. */
export const roomFor = (rows: number): number => rows + Math.floor(rows / 4);

/** In arrays of the host, which are appended to in place. */
export class HostCaches implements Caches {
  readonly appends = false;
  size = 0;
  rows: number;
  private caches: LayerCache[] = [];
  /** What the step graph gives for its token, in every layer. */
  private step: TokenCache;
  private readonly groups: number;
  private readonly dim: number;

  constructor(
    private readonly context: Pick<DecoderContext, 'options' | 'prefix'>,
    rows: number,
  ) {
    const { keyValueHeads, headDim } = context.options.config;
    [this.rows, this.groups, this.dim] = [rows, keyValueHeads, headDim];
    this.step = this.stepTensors();
  }

  async resize(size: number): Promise<void> {
    const taken = Math.min(this.size, size) * this.dim;
    const [before, after] = [this.size * this.dim, size * this.dim];
    this.size = size;
    this.replace(this.rows, (old, tensor) => {
      for (let lane = 0; lane < this.lanes; lane++)
        tensor.set(old.subarray(lane * before, lane * before + taken), lane * after);
    });
  }

  async fill(layer: number, keys: Tensor, values: Tensor, counts: readonly number[]): Promise<void> {
    const cache = this.layer(layer);
    const virtual = this.context.prefix.inputs(layer);
    await this.copy(virtual['prefix.keys'], keys, cache.keys.data, counts);
    await this.copy(virtual['prefix.values'], values, cache.values.data, counts);
  }

  inputs(layer: number): Readonly<Record<keyof LayerCache, HostFloats>> {
    return { ...this.layer(layer) };
  }

  outputs(): Readonly<Record<'key' | 'value', HostFloats>> {
    return this.step;
  }

  append(layer: number, lengths: Int32Array, { key, value } = this.step): void {
    const { keys, values } = this.layer(layer);
    this.place(key.data, keys.data, lengths);
    this.place(value.data, values.data, lengths);
  }

  /** Value by value: thousands of short copies a token, each through a view of its own, took three times as long. */
  private place(from: Float32Array, cache: Float32Array, lengths: Int32Array): void {
    const { dim, groups, size } = this;
    let at = 0;
    for (let lane = 0; lane < this.lanes; lane++) {
      const to = (lane * size + (lengths[Math.floor(lane / groups)] ?? 0)) * dim;
      for (let index = to; index < to + dim; index++) cache[index] = from[at++] as number;
    }
  }

  /** Moves the rows that stay to their places, in place: none moves back, so none is overwritten unread. */
  async keep(kept: readonly number[]): Promise<void> {
    const { row } = this;
    for (const cache of this.caches)
      for (const { data } of Object.values(cache))
        kept.forEach((from, to) => {
          if (from !== to) data.copyWithin(to * row, from * row, (from + 1) * row);
        });
    this.setRows(kept.length);
  }

  async join(others: Caches): Promise<void> {
    if (!(others instanceof HostCaches) || others.size !== this.size)
      throw new RangeError(`caches of ${others.size} positions cannot join those of ${this.size}`);
    const before = this.rows;
    const rows = before + others.rows;
    const room =
      (this.caches[0]?.keys.data.buffer.byteLength ?? 0) / Float32Array.BYTES_PER_ELEMENT / this.row;
    if (rows > room)
      this.replace(roomFor(rows), (old, tensor) => tensor.set(old.subarray(0, before * this.row)));
    this.setRows(rows);
    this.caches.forEach((cache, layer) => {
      for (const one of BOTH) cache[one].data.set(others.layer(layer)[one].data, before * this.row);
    });
  }

  /** Of keys and values `[rows·groups, length, dim]`, the first `counts[row]` of each row, which come after its `starts[row]`. */
  extend(layer: number, from: LayerFloats, starts: Int32Array, counts: readonly number[]): void {
    const [keys, values] = BOTH.map((one) => from[one].length / this.rows);
    counts.forEach((count, row) => {
      const own = (data: Float32Array, length = 0) => data.subarray(row * length, (row + 1) * length);
      const part = { keys: own(from.keys, keys), values: own(from.values, values) };
      this.put(layer, part, { row, start: starts[row] ?? 0, count });
    });
  }

  /** Keys and values `[groups, length, dim]`, of which the first `count` take their places in a row. */
  private put(
    layer: number,
    from: LayerFloats,
    { row, start, count }: { readonly row: number; readonly start: number; readonly count: number },
  ): void {
    const { dim, groups, size } = this;
    const cache = this.layer(layer);
    for (const one of BOTH) {
      const length = from[one].length / groups;
      for (let group = 0; group < groups; group++) {
        const lane = from[one].subarray(group * length, group * length + count * dim);
        cache[one].data.set(lane, ((row * groups + group) * size + start) * dim);
      }
    }
  }

  /** Of every layer, the keys and values `[groups, end − start, dim]` of a row. */
  read(row: number, start: number, end: number): Float32Array {
    const { dim, groups, size } = this;
    const length = (end - start) * dim;
    const data = new Float32Array(this.caches.length * BOTH.length * groups * length);
    let to = 0;
    for (const cache of this.caches)
      for (const one of BOTH)
        for (let group = 0; group < groups; group++, to += length) {
          const from = ((row * groups + group) * size + start) * dim;
          data.set(cache[one].data.subarray(from, from + length), to);
        }
    return data;
  }

  /** The way back of {@link read}. */
  write(row: number, data: Float32Array, start: number): void {
    const part = data.length / this.caches.length / BOTH.length;
    const count = part / this.groups / this.dim;
    this.caches.forEach((_, layer) => {
      const [keys, values] = BOTH.map((_, one) => {
        const from = (layer * BOTH.length + one) * part;
        return data.subarray(from, from + part);
      }) as [Float32Array, Float32Array];
      this.put(layer, { keys, values }, { row, start, count });
    });
  }

  release(): void {
    discarded(this.forget());
  }

  /** Bytes of what it had: see `tensor/garbage.ts` for why {@link release} does not read it. */
  private forget(): number {
    const freed = this.caches.reduce((sum, cache) => sum + bytesOf(cache), 0);
    this.caches = [];
    this.size = 0;
    return freed;
  }

  /** A lane has the keys or the values of one group of heads in one row. */
  private get lanes(): number {
    return this.rows * this.groups;
  }

  /** Numbers of a row. */
  private get row(): number {
    return this.groups * this.size * this.dim;
  }

  /** Makes new arrays with room for so many rows; `move` takes over what the old ones hold. */
  private replace(room: number, move: (old: Float32Array, fresh: Float32Array) => void): void {
    const none = new Float32Array(0);
    const fresh = (old: HostFloats | undefined): HostFloats => {
      const tensor = zeros([room, this.groups, this.size, this.dim]);
      move(old?.data ?? none, tensor.data);
      return tensor;
    };
    // one layer after another: both copies of all would be twice the memory
    for (let layer = 0; layer < this.context.options.config.layers; layer++) {
      const old = this.caches[layer];
      this.caches[layer] = { keys: fresh(old?.keys), values: fresh(old?.values) };
      if (old !== undefined) discarded(bytesOf(old));
    }
  }

  /** Looks at the first rows of the arrays. */
  private setRows(rows: number): void {
    this.rows = rows;
    const shape = [rows, this.groups, this.size, this.dim];
    const first = ({ data: { buffer } }: HostFloats): HostFloats =>
      floatTensor(shape, new Float32Array(buffer, 0, rows * this.row));
    this.caches = this.caches.map(({ keys, values }) => ({ keys: first(keys), values: first(values) }));
    this.step = this.stepTensors();
  }

  private stepTensors() {
    const shape = [this.lanes, 1, this.dim];
    return { key: zeros(shape), value: zeros(shape) };
  }

  private layer(layer: number): LayerCache {
    const cache = this.caches[layer];
    if (cache === undefined) throw new RangeError(`layer ${layer} of ${this.caches.length}`);
    return cache;
  }

  /** Each row's first `counts[row]` of `from` `[lanes, length, dim]` to the front of its lanes, after the prefix `lead`. */
  private async copy(lead: Tensor | undefined, from: Tensor, to: Float32Array, counts: readonly number[]) {
    const source = (await this.context.options.runtime.memory.read(from)).data as Float32Array;
    const virtual = lead && (onHost(lead).data as Float32Array);
    const before = this.context.prefix.tokens * this.dim;
    const length = source.length / this.lanes;
    for (let lane = 0; lane < this.lanes; lane++) {
      const [row, group] = [Math.floor(lane / this.groups), lane % this.groups];
      const start = lane * this.size * this.dim;
      if (virtual !== undefined) to.set(virtual.subarray(group * before, (group + 1) * before), start);
      const end = lane * length + (counts[row] ?? 0) * this.dim;
      to.set(source.subarray(lane * length, end), start + before);
    }
  }
}
