/** Kernels in TypeScript for the backends whose tensors lie in memory of the process. */
import { argument } from '../../../ops/definition.js';
import { GraphError, type Shape, sizeOf, stridesOf } from '../../../shape.js';
import type { Backend, Core, KernelAttributes, TensorInfo, Values } from '../library.js';
import { HOST_KERNEL, type HostKernelName, KERNEL } from './kernel-names.js';

/** The backends `cpu` and `wasm`. */
interface HostBackend extends Backend {
  readSync(id: object): Values;
}

interface Call {
  /** The values of an input. */
  readonly read: (name: string) => Values;
  readonly shape: (name: string) => Shape;
  readonly number: (name: string) => number;
  readonly axes: readonly number[];
}

type HostKernel = (call: Call) => { readonly shape: Shape; readonly values: Float32Array };

/** Position in data of the element that belongs to one of the indices. */
const place = ({ read, number }: Call): ((element: number) => number) => {
  const [indices, rows, count, inner] = [read('indices'), number('rows'), number('count'), number('inner')];
  return (element) => {
    const outer = Math.floor(element / (count * inner));
    return (outer * rows + argument(indices, element)) * inner + (element % inner);
  };
};

const KERNELS: Readonly<Record<HostKernelName, HostKernel>> = {
  /** In float64: the one in WebAssembly adds up in float32, one element after another. */
  [HOST_KERNEL.sum]: ({ read, shape, axes }) => {
    const [x, whole] = [read('x'), shape('x')];
    const kept = whole.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const steps = stridesOf(kept).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
    const sums = new Float64Array(sizeOf(kept));
    const index = whole.map(() => 0);
    let target = 0;
    for (const value of x) {
      sums[target] = (sums[target] ?? 0) + value;
      for (let axis = whole.length - 1; axis >= 0; axis--) {
        index[axis] = argument(index, axis) + 1;
        target += argument(steps, axis);
        if (argument(index, axis) < argument(whole, axis)) break;
        target -= argument(steps, axis) * argument(whole, axis);
        index[axis] = 0;
      }
    }
    return { shape: kept, values: Float32Array.from(sums) };
  },
  [KERNEL.toFloat]: ({ read, shape }) => ({ shape: shape('x'), values: Float32Array.from(read('x')) }),
  [KERNEL.toBf16]: ({ read, shape }) => {
    const values = Float32Array.from(read('x'));
    const bits = new Uint32Array(values.buffer);
    values.forEach((value, index) => {
      const exact = bits[index] ?? 0;
      // to the nearest, ties to even
      if (!Number.isNaN(value)) bits[index] = (exact + 0x7fff + ((exact >>> 16) & 1)) & 0xffff0000;
    });
    return { shape: shape('x'), values };
  },
  [KERNEL.scatterRows]: ({ read, shape, number }) => {
    const [indices, updates, inner] = [read('indices'), read('updates'), number('inner')];
    const values = new Float32Array(number('rows') * inner);
    updates.forEach((value, element) => {
      const target = argument(indices, Math.floor(element / inner)) * inner + (element % inner);
      values[target] = argument(values, target) + value;
    });
    return { shape: [number('rows'), ...shape('updates').slice(1)], values };
  },
  [KERNEL.gatherElements]: (call) => {
    const [x, from] = [call.read('x'), place(call)];
    const values = Float32Array.from(call.read('indices'), (_, index) => argument(x, from(index)));
    return { shape: call.shape('indices'), values };
  },
  [KERNEL.scatterElements]: (call) => {
    const [values, to] = [Float32Array.from(call.read('x')), place(call)];
    call.read('updates').forEach((value, element) => {
      values[to(element)] = argument(values, to(element)) + value;
    });
    return { shape: call.shape('x'), values };
  },
};

function callOf(
  inputs: Readonly<Record<string, TensorInfo>>,
  attributes: KernelAttributes,
  backend: HostBackend,
): Call {
  const input = (name: string): TensorInfo => {
    const found = inputs[name];
    if (found === undefined) throw new GraphError(`a kernel misses its input ${name}`);
    return found;
  };
  return {
    read: (name) => backend.readSync(input(name).dataId),
    shape: (name) => input(name).shape,
    number: (name) => attributes[name] as number,
    axes: (attributes['axes'] ?? []) as readonly number[],
  };
}

export function registerHostKernels(core: Core, backendName: 'cpu' | 'wasm'): void {
  for (const [kernelName, kernel] of Object.entries(KERNELS))
    core.registerKernel<HostBackend>({
      kernelName,
      backendName,
      kernelFunc({ inputs, attrs, backend }) {
        const { shape, values } = kernel(callOf(inputs, attrs, backend));
        return { dataId: backend.write(values, shape, 'float32'), shape, dtype: 'float32' };
      },
    });
}
