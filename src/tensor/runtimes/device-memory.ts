/**
 * The memory of a device over what a library has for its tensors: handles that live until they are deleted. A tensor of
 * ours is a place that has at most one handle, which is replaced whenever it is written.
 */
import { discarded } from '../garbage.js';
import { Ledger, type Memory, type Room } from '../memory.js';
import { bytesOf, GraphError } from '../shape.js';
import type {
  CompiledGraph,
  DeviceTensor,
  Graph,
  HostTensor,
  NamedValue,
  Tensor,
  TensorType,
} from '../types.js';
import { allocate } from './host-tensor.js';

type Data = HostTensor['data'];

/** What a library does with its handles. */
export interface HandleStore<Handle> {
  /** Values as a tensor of the device. The array is not written while the handle lives: a library may share it. */
  create(type: TensorType, data: Data): Handle;
  /** A copy of the values. */
  read(type: TensorType, handle: Handle): Promise<Data>;
  delete(handle: Handle): void;
}

export class DeviceMemory<Handle> implements Memory {
  readonly isHost = false;
  readonly account = new Ledger();
  readonly #handles = new Map<Tensor, Handle>();

  constructor(private readonly store: HandleStore<Handle>) {}

  room(): Room {
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
    this.put(place, this.store.create(tensor.type, tensor.data));
    return place;
  }

  free(tensor: Tensor): void {
    const handle = this.#handles.get(tensor);
    if (handle === undefined) return;
    this.#handles.delete(tensor);
    this.account.remove(bytesOf(tensor.type));
    this.store.delete(handle);
  }

  write(tensors: readonly Tensor[], fill: (...data: readonly Data[]) => void): void {
    const data = tensors.map(({ type }) => allocate(type));
    fill(...data);
    tensors.forEach((tensor, index) => {
      const values = data[index];
      if (values === undefined) return;
      this.free(tensor);
      this.put(tensor, this.store.create(tensor.type, values));
      discarded(values.byteLength);
    });
  }

  async read(tensor: Tensor): Promise<HostTensor> {
    return { type: tensor.type, data: await this.store.read(tensor.type, this.handleOf(tensor)) };
  }

  /** Throws a {@link GraphError} where nothing was written yet. */
  handleOf(tensor: Tensor): Handle {
    const handle = this.#handles.get(tensor);
    if (handle === undefined) throw new GraphError('a tensor of a device is read before it is written');
    return handle;
  }

  /** Gives a handle to a place; it is deleted with it. */
  put(tensor: Tensor, handle: Handle): void {
    this.free(tensor);
    this.#handles.set(tensor, handle);
    this.account.add(bytesOf(tensor.type));
  }

  /**
   * The `run` of a compiled graph, over what executes it: handles in the order of the graph's inputs, and fresh ones in
   * that of its outputs. What is made for one run is deleted at its end, however it ends.
   */
  runs(graph: Graph, execute: (inputs: readonly Handle[]) => readonly Handle[]): CompiledGraph['run'] {
    const typed = (values: readonly NamedValue[]) =>
      values.map(({ name, value }) => ({ name, type: graph.types[value] as TensorType }));
    const [inputs, outputs] = [typed(graph.inputs), typed(graph.outputs)];
    return async (given, into = {}) => {
      // a block of which nothing is trained and nobody asks the gradient
      if (outputs.length === 0) return {};
      const passing: Handle[] = [];
      try {
        const read = new Set<Tensor>();
        const handles = inputs.map(({ name, type }) => {
          const tensor = given[name];
          if (tensor === undefined) throw new GraphError(`${graph.name}: input ${name} is missing`);
          if (!sameType(tensor.type, type))
            throw new GraphError(
              `${graph.name}: input ${name} is ${typeText(tensor.type)}, not ${typeText(type)}`,
            );
          read.add(tensor);
          if (tensor.data === undefined) return this.handleOf(tensor);
          const handle = this.store.create(type, tensor.data);
          passing.push(handle);
          return handle;
        });
        // what is overwritten need not be held beside what overwrites it
        for (const { name } of outputs) {
          const target = into[name];
          if (target !== undefined && target.data === undefined && !read.has(target)) this.free(target);
        }
        const results = execute(handles);
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
  a.dtype === b.dtype &&
  a.shape.length === b.shape.length &&
  a.shape.every((size, axis) => size === b.shape[axis]);

const typeText = ({ dtype, shape }: TensorType): string => `${dtype} [${shape.join(', ')}]`;
