/** Opens the backends of TensorFlow.js: one of each in a process. */

import type { DriverFacts } from '../../types.js';
import type { TfjsName } from './installed.js';
import { registerHostKernels } from './kernels/host.js';
import { type Core, loadCore, loader, type Tensor, type Values } from './library.js';
import { limitHeap } from './wasm.js';
import { openWebGpu } from './webgpu.js';

/** A backend that is open. */
export interface Opened {
  readonly core: Core;
  readonly device: 'CPU' | 'GPU';
  readonly driver?: DriverFacts;
  /** Throws what went wrong on the device since it was last asked, and what ended it. */
  readonly check: () => void;
  /** The values of a tensor, or an array that the backend computes with. */
  readonly read: (tensor: Tensor) => Promise<Values>;
  /** Bytes of the largest tensor that the device takes in one piece. */
  readonly largest: number;
  /** Refuses larger ones from now on. */
  readonly allow: (largest: number) => void;
  /** Wraps what dispatches kernels: what cannot be gone on from is remembered. */
  readonly guarded: <T>(use: () => T) => T;
}

export interface OpenOptions {
  /** Bytes of the device's memory that tensors may take. */
  readonly memory?: number;
  /** Bytes that a tensor may have in one piece, where that is less than the device takes: for tests. */
  readonly largest?: number;
}

type Open = (load: (name: string) => unknown, folder: string, options: OpenOptions) => Promise<Opened>;

const plain = (core: Core, device: 'CPU' | 'GPU'): Opened => ({
  core,
  device,
  largest: Number.POSITIVE_INFINITY,
  allow: () => {},
  check: () => {},
  read: (tensor) => tensor.data(),
  guarded: (use) => use(),
});

const OPEN: Readonly<Record<TfjsName, Open>> = {
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

const opened = new Map<string, Promise<Opened>>();

/** Throws what the library says where it does not load, and a `UserError` where there is no device. */
export function openBackend(name: TfjsName, folder: string, options: OpenOptions = {}): Promise<Opened> {
  const key = `${name} ${folder}`;
  const known = opened.get(key) ?? OPEN[name](loader(folder), folder, options);
  opened.set(key, known);
  return known;
}
