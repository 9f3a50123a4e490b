/** A backend that tensors are made on, and what its memory does with handles. */

import { allocate } from '../../memory.js';
import { GraphError, type Shape } from '../../shape.js';
import type { DType, HostTensor, TensorType } from '../../types.js';
import type { HandleStore } from '../device-memory.js';
import type { TfjsName } from './installed.js';
import type { OpenBackend, Tensor, Values } from './library.js';
import { Packer } from './packings.js';
import type { Handle } from './row-ranges.js';

export interface TfjsDevice {
  readonly name: TfjsName;
  readonly backend: OpenBackend;
  /** Bytes of a tensor that is in one piece. */
  readonly largest: number;
  readonly make: (values: HostTensor['data'], shape: Shape, type: DType) => Tensor;
  /** In parts, where it is larger. */
  readonly upload: (type: TensorType, data: HostTensor['data']) => Handle;
}

/** Several backends may be open in a process; what is made is made on the one that is active. */
export function activate({ name, backend, largest }: TfjsDevice): void {
  const engine = backend.core.engine();
  backend.allow(largest);
  // takes effect before it returns, as the backend is open
  if (engine.backendName !== name) void engine.setBackend(name);
}

/** The memory of the host dequantises by itself; a backend of a process has one packer, for the tables that it shares. */
const packers = new WeakMap<OpenBackend, Packer>();

export function packerOf({ name, backend, make }: TfjsDevice): Packer | undefined {
  if (name !== 'webgpu') return undefined;
  const packer =
    packers.get(backend) ??
    new Packer((values) => make(values, [values.length], values instanceof Float32Array ? 'f32' : 'i32'));
  packers.set(backend, packer);
  return packer;
}

export const handlesOf = (
  { backend, upload, largest }: TfjsDevice,
  packer: Packer | undefined,
): HandleStore<Handle> => ({
  create: upload,
  async read({ dtype, shape }, handle) {
    const parts = await Promise.all(handle.map((part) => backend.read(part)));
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
