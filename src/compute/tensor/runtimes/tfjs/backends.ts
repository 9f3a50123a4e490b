/** Opens the backends of TensorFlow.js: one of each in a process. */
import { translateHostError } from '../../out-of-memory.js';
import type { TfjsName } from './installed.js';
import { registerHostKernels } from './kernels/host-kernels.js';
import { type Core, loadCore, loader, type OpenBackend, type OpenOptions } from './library.js';
import { limitHeap } from './wasm.js';
import { openWebGpu } from './webgpu.js';

type BackendOpener = (
  load: (name: string) => unknown,
  folder: string,
  options: OpenOptions,
) => Promise<OpenBackend>;

const plain = (core: Core, device: 'CPU' | 'GPU'): OpenBackend => ({
  core,
  device,
  largest: Number.POSITIVE_INFINITY,
  allow: () => {},
  check: () => {},
  read: (tensor) => tensor.data(),
  guarded(use) {
    try {
      return use();
    } catch (error) {
      throw translateHostError(error);
    }
  },
});

const OPEN: Readonly<Record<TfjsName, BackendOpener>> = {
  cpu: async (load) => {
    const core = loadCore(load);
    load('@tensorflow/tfjs-backend-cpu');
    registerHostKernels(core, 'cpu');
    await core.engine().setBackend('cpu');
    return plain(core, 'CPU');
  },
  wasm: async (load, _, options) => {
    const core = loadCore(load);
    load('@tensorflow/tfjs-backend-wasm');
    registerHostKernels(core, 'wasm');
    await core.engine().setBackend('wasm');
    return { ...plain(core, 'CPU'), ...limitHeap(core, options.memory) };
  },
  webgpu: openWebGpu,
};

const openBackends = new Map<string, Promise<OpenBackend>>();

/** Throws what the library says if it does not load, and a `UserError` if there is no device. */
export function openBackend(name: TfjsName, folder: string, options: OpenOptions = {}): Promise<OpenBackend> {
  const key = `${name} ${folder}`;
  const known = openBackends.get(key) ?? OPEN[name](loader(folder), folder, options);
  openBackends.set(key, known);
  return known;
}
