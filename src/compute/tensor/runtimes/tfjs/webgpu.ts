/** The WebGPU backend over Dawn: its device, what it may allocate, and what it says went wrong. */
import { deviceFull, noGpu } from '../../../../language/diagnostics/catalogue/runtimes.js';
import { UserError } from '../../../../language/diagnostics/types.js';
import { OutOfMemoryError, outOfMemory } from '../../out-of-memory.js';
import { type AdapterInfo, type AdapterLimits, driverOf, largestOf } from './driver.js';
import { dawnPath } from './installed.js';
import { registerWebGpuKernels } from './kernels/webgpu.js';
import { type Backend, type Engine, loadCore, type OpenBackend, type OpenOptions } from './library.js';
import { tooLargeForGpu, translateDawnError } from './webgpu-out-of-memory.js';

interface GpuBuffer {
  readonly size: number;
  destroy(): void;
}

interface GpuDevice {
  readonly limits: AdapterLimits;
  readonly lost: Promise<{ readonly message: string }>;
  addEventListener(
    type: 'uncapturederror',
    listener: (event: { readonly error: Error; preventDefault(): void }) => void,
  ): void;
}

interface GpuAdapter {
  readonly info: AdapterInfo;
  readonly limits: AdapterLimits & Readonly<Record<string, number>>;
  requestDevice(wanted: {
    readonly requiredLimits: Readonly<Record<string, number | undefined>>;
  }): Promise<GpuDevice>;
}

interface Gpu {
  requestAdapter(options: { readonly powerPreference: 'high-performance' }): Promise<GpuAdapter | null>;
}

interface Dawn {
  readonly globals: object;
  create(options: readonly string[]): Gpu;
}

/** Where TensorFlow.js takes buffers from, and gives them back for reuse. */
interface BufferManager {
  readonly freeBuffers: Map<string, GpuBuffer[]>;
  numFreeBuffers: number;
  numBytesUsed: number;
  numBytesAllocated: number;
  acquireBuffer(size: number, usage: number, mapped?: boolean, reuse?: boolean): GpuBuffer;
}

interface WebGpu extends Backend {
  readonly bufferManager: BufferManager;
  /** How many tensors share these data; 0 if they wait for their disposal. */
  refCount(id: object): number;
  disposeData(id: object, force: boolean): boolean;
}

/** Limits of the device that are asked for beyond those that every one has. */
const WANTED = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
];

const FLAGS: Readonly<Record<string, boolean | number>> = {
  // small tensors are computed on the device like large ones
  WEBGPU_CPU_FORWARD: false,
  // the packed product: another one splits its sums and adds up with atomics, in another order each time
  WEBGPU_MATMUL_PROGRAM_TYPE: 3,
};

/** Throws a `UserError` if there is no GPU, and what the system says if Dawn does not load. */
export async function openWebGpu(
  load: (name: string) => unknown,
  folder: string,
  { memory = Number.POSITIVE_INFINITY }: OpenOptions,
): Promise<OpenBackend> {
  const core = loadCore(load);
  // before there is a GPU to be seen: it would register a backend with a device of its own
  const { WebGPUBackend } = load('@tensorflow/tfjs-backend-webgpu') as {
    readonly WebGPUBackend: new (device: GpuDevice, info: GpuAdapter['info']) => WebGpu;
  };
  const adapter = await findAdapter(load, folder);
  const requiredLimits = Object.fromEntries(WANTED.map((name) => [name, adapter.limits[name]]));
  const device = await adapter.requestDevice({ requiredLimits }).catch(failed);
  const backend = new WebGPUBackend(device, adapter.info);
  core.registerBackend('webgpu', () => backend);
  registerWebGpuKernels(core);
  await core.engine().setBackend('webgpu');
  for (const [flag, value] of Object.entries(FLAGS)) core.env().set(flag, value);
  const buffers = limitBuffers(backend.bufferManager, device.limits, memory);
  return {
    core,
    device: 'GPU',
    driver: driverOf(adapter),
    ...buffers,
    ...watched(core.engine(), backend, device, buffers.trim),
  };
}

function failed(error: unknown): never {
  throw translateDawnError(error instanceof Error ? error : new Error(String(error)));
}

async function findAdapter(load: (name: string) => unknown, folder: string): Promise<GpuAdapter> {
  // libraries of the window system, which are asked on the way, complain where this is not set
  process.env['XDG_RUNTIME_DIR'] ??= folder;
  const { create, globals } = load(dawnPath(folder)) as Dawn;
  Object.assign(globalThis, globals);
  const gpu = create([]);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'node' }, configurable: true });
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(failed);
  if (adapter === null) throw new UserError(noGpu());
  return adapter;
}

/**
 * Looks at each buffer before the device does, which would only say later that it refused one. Gives what destroys the
 * buffers that wait for reuse.
 */
function limitBuffers(
  manager: BufferManager,
  limits: AdapterLimits,
  memory: number,
): Pick<OpenBackend, 'largest' | 'allow'> & { readonly trim: () => void } {
  const largest = largestOf(limits);
  let allowed = largest;
  const trim = (): void => {
    for (const [key, buffers] of manager.freeBuffers) {
      for (const buffer of buffers) {
        manager.numBytesAllocated -= buffer.size;
        manager.numFreeBuffers -= 1;
        buffer.destroy();
      }
      manager.freeBuffers.set(key, []);
    }
  };
  const acquire = manager.acquireBuffer.bind(manager);
  manager.acquireBuffer = (size, usage, mapped, reuse) => {
    if (size > allowed) throw tooLargeForGpu(size, allowed);
    if (manager.numBytesAllocated + size > memory) trim();
    if (manager.numBytesAllocated + size > memory)
      throw outOfMemory(deviceFull(size, manager.numBytesUsed, memory), {
        runtime: 'webgpu',
        memory: 'device',
        bytes: size,
      });
    return acquire(size, usage, mapped, reuse);
  };
  return {
    largest,
    allow(bytes) {
      allowed = bytes;
    },
    trim,
  };
}

function watched(
  engine: Engine,
  backend: WebGpu,
  device: GpuDevice,
  trim: () => void,
): Pick<OpenBackend, 'check' | 'read' | 'guarded'> {
  let found: Error | undefined;
  device.addEventListener('uncapturederror', (event) => {
    // else it is printed
    event.preventDefault();
    found ??= event.error;
  });
  void device.lost.then(({ message }) => {
    found = new Error(`the device was lost: ${message}`);
  });
  /** Data that were made since a run began: kernels that fail do not dispose of theirs. */
  let made: object[] = [];
  const write = backend.write.bind(backend);
  backend.write = (values, shape, dtype) => {
    const id = write(values, shape, dtype);
    made.push(id);
    return id;
  };
  const check = (): void => {
    if (found === undefined) return;
    const error = translateDawnError(found);
    if (error instanceof OutOfMemoryError) {
      // buffers that were refused may wait for reuse
      trim();
      found = undefined;
    }
    throw error;
  };
  return {
    check,
    async read(tensor) {
      const values = await tensor.data().catch((error: unknown) => {
        check();
        return failed(error);
      });
      check();
      return values;
    },
    guarded(use) {
      made = [];
      try {
        return use();
      } catch (error) {
        // the data of a tensor are its owner's to dispose of; twice, and the next run fails
        const { tensorInfo } = engine.state;
        for (const id of made)
          if (!tensorInfo.has(id) && backend.refCount(id) > 0) backend.disposeData(id, true);
        throw error;
      } finally {
        made = [];
      }
    },
  };
}
