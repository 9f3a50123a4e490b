/** Keys and values that stay on a device: small graphs put them in their places, and the step graph appends to them. */
import { GraphBuilder } from '../../tensor/builder.js';
import { f32 } from '../../tensor/shape.js';
import type { Graph, HostTensor, Tensor, TensorBuffer, Tensors, ValueId } from '../../tensor/types.js';
import type { Caches } from './caches.js';
import type { DecoderContext } from './context.js';
import { floatTensor } from './parameters.js';

/** Both of a layer, under the names that graphs have for them. */
interface LayerCache {
  readonly buffers: readonly TensorBuffer[];
  readonly tensors: Readonly<Record<(typeof BOTH)[number], Tensor>>;
}

const BOTH = ['keys', 'values'] as const;

export class DeviceCaches implements Caches {
  readonly appends = true;
  size = 0;
  rows: number;
  private places: readonly LayerCache[] = [];
  /** Where the step graph puts each row's token: the same for every layer of a step. */
  private slots: HostTensor = floatTensor([0], new Float32Array(0));

  constructor(
    private readonly context: Pick<DecoderContext, 'options' | 'prefix' | 'compiled'>,
    rows: number,
  ) {
    this.rows = rows;
  }

  async resize(size: number): Promise<void> {
    const shape = this.shape;
    const more = size - this.size;
    this.size = size;
    const { layers } = this.context.options.config;
    // what is empty is written as a whole
    if (this.places.length === 0) this.places = Array.from({ length: layers }, () => this.newPlace());
    else
      await this.replace(`cache ${shape.join('x')} to ${size}`, () =>
        ofBoth('resize', shape, (b, cache) =>
          more < 0 ? b.slice(cache, 2, 0, size) : b.pad(cache, 2, 0, more),
        ),
      );
  }

  async fill(layer: number, keys: Tensor, values: Tensor): Promise<void> {
    const { options, prefix, compiled } = this.context;
    const { keyValueHeads: groups, headDim: dim } = options.config;
    const [, length = 0] = keys.type.shape;
    const fit = { rows: this.rows, groups, size: this.size, dim, length, virtual: prefix.tokens };
    const graph = await compiled.get(`cache of ${Object.values(fit).join()}`, () => fillGraph(fit));
    await graph.run({ keys, values, ...prefix.inputs(layer) }, this.outputs(layer));
  }

  inputs(layer: number, lengths: Int32Array): Tensors {
    if (layer === 0) this.slots = floatTensor([this.rows, 1, 1, 1], Float32Array.from(lengths));
    return { ...this.outputs(layer), slots: this.slots };
  }

  outputs(layer: number): LayerCache['tensors'] {
    const place = this.places[layer];
    if (place === undefined) throw new RangeError(`layer ${layer} of ${this.places.length}`);
    return place.tensors;
  }

  /** The step graph has done so. */
  append(): void {}

  async keep(kept: readonly number[]): Promise<void> {
    const shape = this.shape;
    const row: HostTensor = { type: { dtype: 'i32', shape: [kept.length] }, data: Int32Array.from(kept) };
    this.rows = kept.length;
    const key = `cache ${shape.join('x')} of ${kept.length}`;
    await this.replace(
      key,
      () => keepGraph(shape, kept.length),
      () => ({ row }),
    );
  }

  async join(others: Caches): Promise<void> {
    if (!(others instanceof DeviceCaches) || others.size !== this.size)
      throw new RangeError(`caches of ${others.size} positions cannot join those of ${this.size}`);
    const [shape, [more]] = [this.shape, others.shape];
    this.rows += others.rows;
    const key = `cache ${shape.join('x')} and ${more}`;
    await this.replace(
      key,
      () =>
        ofBoth('join', shape, (b, cache, name) =>
          b.concat([cache, b.input(`${name}.more`, [more, ...shape.slice(1)])], 0),
        ),
      (layer) => {
        const { keys, values } = others.outputs(layer);
        return { 'keys.more': keys, 'values.more': values };
      },
    );
  }

  release(): void {
    this.places.forEach(released);
    this.places = [];
    this.size = 0;
  }

  /** Of the keys of a layer, and of its values. */
  private get shape(): readonly [number, number, number, number] {
    const { keyValueHeads, headDim } = this.context.options.config;
    return [this.rows, keyValueHeads, this.size, headDim];
  }

  private newPlace(): LayerCache {
    const { memory } = this.context.options.runtime;
    const [keys, values] = [memory.buffer(), memory.buffer()];
    const type = f32(this.shape);
    return { buffers: [keys, values], tensors: { keys: keys.tensor(type), values: values.tensor(type) } };
  }

  /** Writes what a graph makes of each layer's cache into a new place, one layer at a time. */
  private async replace(
    key: string,
    build: () => Graph,
    more: (layer: number) => Tensors = () => ({}),
  ): Promise<void> {
    const next: LayerCache[] = [];
    for (const [layer, place] of this.places.entries()) {
      const made = this.newPlace();
      const graph = await this.context.compiled.get(key, build);
      await graph.run({ ...place.tensors, ...more(layer) }, made.tensors);
      released(place);
      next.push(made);
    }
    this.places = next;
  }
}

function released({ buffers }: LayerCache): void {
  for (const buffer of buffers) buffer.release();
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

function keepGraph(shape: readonly number[], count: number): Graph {
  const b = new GraphBuilder('keep');
  const row = b.input('row', [count], 'i32');
  for (const one of BOTH) b.output(one, b.gather(b.input(one, shape), row));
  return b.build();
}

/** Keys and values of prompts, padded to `length`, at the front of a cache, after those of a prefix of `virtual` tokens. */
function fillGraph({
  rows,
  groups,
  size,
  dim,
  length,
  virtual,
}: Readonly<Record<'rows' | 'groups' | 'size' | 'dim' | 'length' | 'virtual', number>>): Graph {
  const taken = Math.min(length, size - virtual);
  return ofBoth('fill', [rows * groups, length, dim], (b, cache, name) => {
    const own = b.slice(cache, 1, 0, taken);
    const rest = size - virtual - taken;
    const padded = b.reshape(rest > 0 ? b.pad(own, 1, 0, rest) : own, [rows, groups, size - virtual, dim]);
    if (virtual === 0) return padded;
    const lead = b.reshape(b.input(`prefix.${name}`, [groups, virtual, dim]), [1, groups, virtual, dim]);
    return b.concat([b.expand(lead, [rows, groups, virtual, dim]), padded], 2);
  });
}
