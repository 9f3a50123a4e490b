/**
 * The memory of a device over what a library has for its tensors: handles that live until they are deleted. A tensor of
 * ours is a place that has at most one handle, which is replaced whenever it is written.
 */
import { deviceFull } from '../../../language/diagnostics/catalogue/runtimes.js';
import { discarded } from '../garbage.js';
import { allocate, Ledger } from '../memory.js';
import { outOfMemory } from '../out-of-memory.js';
import { bytesOf, f32, GraphError, sameShape } from '../shape.js';
import type {
  CompiledGraph,
  DeviceTensor,
  Graph,
  HostTensor,
  Memory,
  NamedValue,
  PackedTensor,
  Tensor,
  TensorBuffer,
  TensorType,
} from '../types.js';

type Data = HostTensor['data'];

/** What a library does with its handles. */
export interface HandleStore<Handle> {
  /** Values as a tensor of the device. The array is not written while the handle lives: a library may share it. */
  create(type: TensorType, data: Data): Handle;
  /** A copy of the values. */
  read(type: TensorType, handle: Handle): Promise<Data>;
  delete(handle: Handle): void;
  /** Zeros of the type and shape of a tensor, without the host; left out if the library has no such. */
  zerosLike?(type: TensorType, handle: Handle): Handle;
  /** Of a library whose graphs dequantise packed forms. */
  pack?(packed: PackedTensor): Content<Handle> | undefined;
}

/** What lies at a place: one handle, or those of a packed form. */
export interface Content<Handle> {
  readonly handles: readonly Handle[];
  readonly bytes: number;
  /** How its handles become float32; left out of a plain tensor. */
  readonly packing?: string;
}

export class DeviceMemory<Handle> implements Memory {
  readonly isHost = false;
  readonly account = new Ledger();
  private readonly contents = new Map<Tensor, Content<Handle>>();

  /** `limit`: bytes that may lie here; what goes beyond it is refused before it is made. */
  constructor(
    private readonly runtime: string,
    private readonly store: HandleStore<Handle>,
    private readonly limit = Number.POSITIVE_INFINITY,
  ) {}

  buffer(): TensorBuffer {
    let last: DeviceTensor | undefined;
    const release = () => {
      if (last !== undefined) this.free(last);
      last = undefined;
    };
    return {
      tensor: (type) => {
        if (last !== undefined && sameType(last.type, type)) return last;
        release();
        last = { type };
        return last;
      },
      release,
    };
  }

  hold(tensor: HostTensor): Tensor {
    const place: DeviceTensor = { type: tensor.type };
    this.reserve(bytesOf(tensor.type));
    this.put(place, this.store.create(tensor.type, tensor.data));
    return place;
  }

  holdPacked(packed: PackedTensor): Tensor | undefined {
    const content = this.store.pack?.(packed);
    if (content === undefined) return undefined;
    const place: DeviceTensor = { type: f32(packed.shape) };
    try {
      this.reserve(content.bytes);
    } catch (error) {
      for (const handle of content.handles) this.store.delete(handle);
      throw error;
    }
    this.fill(place, content);
    return place;
  }

  free(tensor: Tensor): void {
    const content = this.contents.get(tensor);
    if (content === undefined) return;
    this.contents.delete(tensor);
    this.account.remove(content.bytes);
    for (const handle of content.handles) this.store.delete(handle);
  }

  write(tensors: readonly Tensor[], fill: (...data: readonly Data[]) => void): void {
    const data = tensors.map(({ type }) => allocate(type));
    fill(...data);
    tensors.forEach((tensor, index) => {
      const values = data[index];
      if (values === undefined) return;
      this.free(tensor);
      this.reserve(bytesOf(tensor.type));
      this.put(tensor, this.store.create(tensor.type, values));
      discarded(values.byteLength);
    });
  }

  zero(tensor: Tensor): void {
    const { type } = tensor;
    const [handle] = this.contents.get(tensor)?.handles ?? [];
    const fits = this.account.bytes + bytesOf(type) <= this.limit;
    if (handle !== undefined && this.store.zerosLike !== undefined && fits)
      this.put(tensor, this.store.zerosLike(type, handle));
    // what is allocated is zero
    else this.write([tensor], () => {});
  }

  async read(tensor: Tensor): Promise<HostTensor> {
    const { handles, packing } = this.contentOf(tensor);
    const [handle] = handles;
    if (handle === undefined || packing !== undefined)
      throw new GraphError('packed values are not read back');
    return { type: tensor.type, data: await this.store.read(tensor.type, handle) };
  }

  /** Throws a {@link GraphError} if nothing was written yet. */
  contentOf(tensor: Tensor): Content<Handle> {
    const content = this.contents.get(tensor);
    if (content === undefined) throw new GraphError('a tensor of a device is read before it is written');
    return content;
  }

  /** Gives a handle to a place; it is deleted with it. */
  put(tensor: Tensor, handle: Handle): void {
    this.fill(tensor, { handles: [handle], bytes: bytesOf(tensor.type) });
  }

  /** Throws an {@link OutOfMemoryError}, which tells a training to take a smaller plan. */
  private reserve(bytes: number): void {
    const { bytes: taken } = this.account;
    const { runtime } = this;
    if (taken + bytes > this.limit)
      throw outOfMemory(deviceFull(bytes, taken, this.limit), { runtime, memory: 'device', bytes });
  }

  private fill(tensor: Tensor, content: Content<Handle>): void {
    this.free(tensor);
    this.contents.set(tensor, content);
    this.account.add(content.bytes);
  }

  /**
   * The `run` of a compiled graph, over what executes it: contents in the order of the graph's inputs, and fresh handles
   * in that of its outputs. What is made for one run is deleted at its end, however it ends. `working`: bytes that a run
   * takes besides what is held, its outputs among them; packed inputs are dequantised within it, one at a time.
   */
  runs(
    graph: Graph,
    execute: (inputs: readonly Content<Handle>[]) => readonly Handle[],
    working: (graph: Graph) => number = () => 0,
  ): CompiledGraph['run'] {
    const needed = this.limit === Number.POSITIVE_INFINITY ? 0 : working(graph);
    const typed = (values: readonly NamedValue[]) =>
      values.map(({ name, value }) => ({ name, type: graph.types[value] as TensorType }));
    const [inputs, outputs] = [typed(graph.inputs), typed(graph.outputs)];
    return async (given, into = {}) => {
      // a block of which nothing is trained and nobody asks the gradient
      if (outputs.length === 0) return {};
      const passing: Handle[] = [];
      try {
        const read = new Set<Tensor>();
        const contents = inputs.map(({ name, type }) => {
          const tensor = given[name];
          if (tensor === undefined) throw new GraphError(`${graph.name}: input ${name} is missing`);
          if (!sameType(tensor.type, type))
            throw new GraphError(
              `${graph.name}: input ${name} is ${typeText(tensor.type)}, not ${typeText(type)}`,
            );
          read.add(tensor);
          if (tensor.data === undefined) return this.contentOf(tensor);
          const handle = this.store.create(type, tensor.data);
          passing.push(handle);
          return { handles: [handle], bytes: 0 };
        });
        // what is overwritten need not be held next to what overwrites it
        for (const { name } of outputs) {
          const target = into[name];
          if (target !== undefined && target.data === undefined && !read.has(target)) this.free(target);
        }
        const dequantised = contents.map(({ packing }, at) => {
          const type = inputs[at]?.type;
          return packing === undefined || type === undefined ? 0 : bytesOf(type);
        });
        this.reserve(needed + Math.max(0, ...dequantised));
        const results = execute(contents);
        passing.push(...results);
        const onHost: Record<string, HostTensor> = {};
        for (const [index, { name, type }] of outputs.entries()) {
          const handle = results[index];
          if (handle === undefined) throw new GraphError(`${graph.name} gave no ${name}`);
          const target = into[name];
          if (target !== undefined && target.data === undefined) {
            this.put(target, handle);
            passing.splice(passing.indexOf(handle), 1);
            continue;
          }
          const data = await this.store.read(type, handle);
          if (target === undefined) onHost[name] = { type, data };
          else {
            bytesIn(target.data).set(bytesIn(data));
            discarded(data.byteLength);
            onHost[name] = target;
          }
        }
        return onHost;
      } finally {
        for (const handle of passing) this.store.delete(handle);
      }
    };
  }
}

const bytesIn = (data: Data): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

const sameType = (a: TensorType, b: TensorType): boolean =>
  a.dtype === b.dtype && sameShape(a.shape, b.shape);

const typeText = ({ dtype, shape }: TensorType): string => `${dtype} [${shape.join(', ')}]`;
