/**
 * TensorFlow.js: each graph is a list of kernels of a backend. Its own gradients are not used, and every tensor is
 * disposed of at its last use.
 */
import type { Runtime } from '../../types.js';
import { DeviceMemory } from '../device-memory.js';
import { openBackend } from './backends.js';
import { activate, handlesOf, packerOf, type TfjsDevice } from './device.js';
import { compiled } from './execution.js';
import type { TfjsName } from './installed.js';
import { type OpenOptions, typeNamed, type Values } from './library.js';
import { elementRange, rangeShape, rowRangesOfShape } from './row-ranges.js';

interface TfjsOptions extends OpenOptions {
  readonly name: TfjsName;
  /** Folder of the installation. */
  readonly folder: string;
}

interface TfjsRuntime extends Runtime {
  /** Tensors that the library holds now. */
  readonly tensors: () => number;
}

/** Throws what the library says if it does not load, and a `UserError` if there is no device. */
export async function tfjsRuntime({ name, folder, ...options }: TfjsOptions): Promise<TfjsRuntime> {
  const backend = await openBackend(name, folder, options);
  const engine = backend.core.engine();
  const largest = Math.min(backend.largest, options.largest ?? backend.largest);
  const make: TfjsDevice['make'] = (values, shape, type) => {
    const dtype = typeNamed(type);
    activate(device);
    return engine.makeTensor(values as Values, shape, dtype);
  };
  const device: TfjsDevice = {
    name,
    backend,
    largest,
    make,
    upload: ({ dtype, shape }, data) =>
      rowRangesOfShape(shape, largest).map((run) =>
        make((data as Values).subarray(...elementRange(shape, run)), rangeShape(shape, run), dtype),
      ),
  };
  const packer = packerOf(device);
  const memory = new DeviceMemory(name, handlesOf(device, packer));
  return {
    name,
    version: backend.core.version_core,
    device: backend.device,
    ...(backend.driver && { driver: backend.driver }),
    memory,
    largestTensor: largest,
    tensors: () => engine.memory().numTensors,
    compile: async (graph) => compiled({ device, packer, memory }, graph),
  };
}
