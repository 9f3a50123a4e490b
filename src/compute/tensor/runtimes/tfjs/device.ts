/** A backend that tensors are made on, and what its memory does with handles. */
import { GraphError, type Shape } from '../../shape.js';
import type { DType, HostTensor, TensorType } from '../../types.js';
import type { HandleStore } from '../device-memory.js';
import { allocate } from '../host-tensor.js';
import type { TfjsName } from './installed.js';
import type { Tensor, Values } from './library.js';
import type { Opened } from './opened.js';
import { Packer } from './packings.js';
import type { Handle } from './parts.js';

export interface Device {
  readonly name: TfjsName;
  readonly opened: Opened;
  /** Bytes of a tensor that is in one piece. */
  readonly largest: number;
  readonly make: (values: HostTensor['data'], shape: Shape, type: DType) => Tensor;
  /** In parts, where it is larger. */
  readonly upload: (type: TensorType, data: HostTensor['data']) => Handle;
}

/** Several backends may be open in a process; what is made is made on the one that is active. */
export function activate({ name, opened, largest }: Device): void {
  const engine = opened.core.engine();
  opened.allow(largest);
  // takes effect before it returns, as the backend is open
  if (engine.backendName !== name) void engine.setBackend(name);
}

/** The memory of the host decodes by itself; a backend of a process has one packer, for the tables that it shares. */
const packers = new WeakMap<Opened, Packer>();

export function packerOf({ name, opened, make }: Device): Packer | undefined {
  if (name !== 'webgpu') return undefined;
  const packer =
    packers.get(opened) ??
    new Packer((values) => make(values, [values.length], values instanceof Float32Array ? 'f32' : 'i32'));
  packers.set(opened, packer);
  return packer;
}

export const handlesOf = (
  { opened, upload, largest }: Device,
  packer: Packer | undefined,
): HandleStore<Handle> => ({
  create: upload,
  async read({ dtype, shape }, handle) {
    const parts = await Promise.all(handle.map((part) => opened.read(part)));
    const [first] = parts;
    if (first === undefined) throw new GraphError('a tensor without parts');
    // a backend may give the array that it computes with
    if (parts.length === 1) return first.slice();
    const data = allocate({ dtype, shape }) as Values;
    parts.reduce((at, part) => {
      data.set(part, at);
      return at + part.length;
    }, 0);
    return data;
  },
  delete: dispose,
  pack: (packed) => packer?.pack(packed, largest),
});

export function dispose(handle: Handle): void {
  for (const tensor of handle) tensor.dispose();
}
