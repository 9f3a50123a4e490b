import { onHost } from '../../tensor/memory.js';
import type { Tensor, Tensors } from '../../tensor/types.js';
import type { DecoderContext } from './context.js';
import { floatTensor, type HostFloats, zeros } from './parameters.js';

/**
 * Keys and values of every layer, from token to token of a generation, `[rows·groups, size, dim]` each: arrays of the
 * host, or tensors that stay where the runtime computes. Tokens of a prefix, if there is one, are before those of the texts.
 */
export interface Caches {
  /** Positions that each row has room for: 0 before the first {@link grow}. */
  readonly size: number;
  grow(size: number): Promise<void>;
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
  /** Goes on with these rows alone, which ascend. */
  keep(rows: readonly number[]): Promise<void>;
  release(): void;
}

type LayerCache = Readonly<Record<'keys' | 'values', HostFloats>>;

/** In arrays of the host, which are appended to in place. */
export class HostCaches implements Caches {
  readonly appends = false;
  size = 0;
  private rows: number;
  private caches: readonly LayerCache[] = [];
  /** What the step graph gives for its token, in every layer. */
  private step: { readonly key: HostFloats; readonly value: HostFloats };
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

  async grow(size: number): Promise<void> {
    const [before, after] = [this.size * this.dim, size * this.dim];
    const widened = (old: Float32Array): HostFloats => {
      const tensor = zeros([this.lanes, size, this.dim]);
      for (let lane = 0; lane < this.lanes; lane++)
        tensor.data.set(old.subarray(lane * before, (lane + 1) * before), lane * after);
      return tensor;
    };
    const none = new Float32Array(0);
    this.caches = Array.from({ length: this.context.options.config.layers }, (_, layer) => ({
      keys: widened(this.caches[layer]?.keys.data ?? none),
      values: widened(this.caches[layer]?.values.data ?? none),
    }));
    this.size = size;
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

  append(layer: number, lengths: Int32Array): void {
    const { keys, values } = this.layer(layer);
    const dim = this.dim;
    for (let lane = 0; lane < this.lanes; lane++) {
      const to = (lane * this.size + (lengths[Math.floor(lane / this.groups)] ?? 0)) * dim;
      keys.data.set(this.step.key.data.subarray(lane * dim, (lane + 1) * dim), to);
      values.data.set(this.step.value.data.subarray(lane * dim, (lane + 1) * dim), to);
    }
  }

  /** Moves the rows that stay to the front of each cache, in place: they ascend, so none is overwritten unread. */
  async keep(kept: readonly number[]): Promise<void> {
    const shape = [kept.length * this.groups, this.size, this.dim];
    const row = this.groups * this.size * this.dim;
    const front = ({ data }: HostFloats): HostFloats => {
      kept.forEach((from, to) => {
        data.copyWithin(to * row, from * row, (from + 1) * row);
      });
      return floatTensor(shape, data.subarray(0, kept.length * row));
    };
    this.caches = this.caches.map(({ keys, values }) => ({ keys: front(keys), values: front(values) }));
    this.rows = kept.length;
    this.step = this.stepTensors();
  }

  release(): void {
    this.caches = [];
    this.size = 0;
  }

  /** A lane has the keys or the values of one group of heads in one row. */
  private get lanes(): number {
    return this.rows * this.groups;
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
