/** Where tensors are, which a plan has to take into account: on a GPU of this machine, or within a limit of their own. */

import * as v from 'valibot';
import { deviceLimit } from '../../compute/tensor/runtimes/device-limit.js';
import type { RuntimeIdentity } from '../../compute/tensor/runtimes/index.js';
import { largestOf } from '../../compute/tensor/runtimes/tfjs/driver.js';
import { dawnPath, tfjsFolder } from '../../compute/tensor/runtimes/tfjs/installed.js';
import { MOST_HEAP } from '../../compute/tensor/runtimes/tfjs/wasm.js';
import { formatQuantity } from '../../language/check/units.js';
import { deviceMemoryIdle, deviceSizeUnknown } from '../../language/diagnostics/catalogue/runtimes.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import { childEnvironment } from '../../language/host/child-environment.js';
import type { Host } from '../../language/host/host.js';
import { finite, tryJson } from '../../language/host/json.js';
import { takesLimit } from '../../language/ir/runtimes.js';
import type { PlannedDevice } from '../planner/plan-json.js';
import { findGpus, type Gpu, usedGpu } from './gpus.js';

interface TensorDevice {
  readonly device?: PlannedDevice;
  /** Bytes of the largest tensor that a GPU takes in one piece, where it has a limit. */
  readonly largestTensor?: number;
  readonly diagnostics: readonly Diagnostic[];
}

/** Some of a GPU's memory is lost to fragmentation. */
const USABLE = 0.95;
const NONE: TensorDevice = { diagnostics: [] };

/** `asked`: bytes that the pipeline lets tensors take. Throws a `UserError` if the limit is invalid. */
export async function tensorDevice(
  host: Host,
  { name, version }: RuntimeIdentity,
  asked?: number,
): Promise<TensorDevice> {
  if (!takesLimit(name))
    return asked === undefined
      ? NONE
      : { diagnostics: [deviceMemoryIdle(formatQuantity(asked, 'bytes'), name)] };
  const limit = deviceLimit(host, asked);
  if (name === 'wasm') return shared('WebAssembly', Math.min(limit ?? MOST_HEAP, MOST_HEAP), limit);
  if (name === 'webgpu') {
    const largestTensor = await largestOnGpu(host);
    const within = limit === undefined ? NONE : shared('the GPU', limit, limit);
    return { ...within, ...(largestTensor !== undefined && { largestTensor }) };
  }
  const found = version.endsWith('+cuda') ? await nvidiaGpu(host, limit) : undefined;
  if (found !== undefined) return found;
  return limit === undefined ? NONE : shared('the CPU', limit, limit);
}

/** Nothing is known of the device, or it is the machine: what it holds may all be of the process. */
const shared = (name: string, memoryBytes: number, limit: number | undefined): TensorDevice => ({
  device: {
    name,
    memoryBytes,
    availableBytes: memoryBytes,
    isShared: true,
    isLimited: memoryBytes === limit,
  },
  diagnostics: [],
});

/** `undefined` if there is none. */
async function nvidiaGpu(host: Host, limit: number | undefined): Promise<TensorDevice | undefined> {
  const path = host.env('PATH');
  const found = await findGpus(path === undefined ? {} : { PATH: path });
  if (found.state === 'none') return undefined;
  if (found.state === 'failed')
    return limit === undefined
      ? { diagnostics: [deviceSizeUnknown(found.detail)] }
      : {
          device: { name: 'the GPU', memoryBytes: limit, availableBytes: limit, isLimited: true },
          diagnostics: [],
        };
  const gpu = usedGpu(found.gpus, host.env('CUDA_VISIBLE_DEVICES'));
  return gpu && { device: plannedGpu(gpu, limit), diagnostics: [] };
}

/** What may be planned with of a GPU; `limit`: bytes that are allowed of it. */
export function plannedGpu({ name, memoryBytes }: Gpu, limit: number | undefined): PlannedDevice {
  const usable = Math.floor(USABLE * memoryBytes);
  const isLimited = limit !== undefined && limit < usable;
  const device = { name, memoryBytes, availableBytes: isLimited ? limit : usable };
  return isLimited ? { ...device, isLimited } : device;
}

/** Milliseconds: a driver that is being loaded takes seconds. */
const PATIENCE = 10_000;

/** Bytes. */
const LIMIT = v.pipe(finite, v.minValue(1));
const LIMITS = v.object({ maxBufferSize: LIMIT, maxStorageBufferBindingSize: LIMIT });

const SCRIPT = `
  const { create } = require(process.argv[1]);
  const adapter = await create([]).requestAdapter({ powerPreference: 'high-performance' });
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  process.stdout.write(JSON.stringify({ maxBufferSize, maxStorageBufferBindingSize }), () => process.exit());
`;

/**
 * Bytes of the largest tensor that it takes in one piece. A process of its own asks: Dawn and TensorFlow do not get on in
 * one. Never throws: where nothing can be said it is `undefined`, and whoever computes says why. `variables` are laid over the
 * environment of this process.
 */
export async function largestOnGpu(
  host: Host,
  variables: Readonly<Record<string, string>> = {},
): Promise<number | undefined> {
  const folder = tfjsFolder(host, 'webgpu');
  // libraries of the window system, which are asked on the way, complain where this is not set
  const env = { XDG_RUNTIME_DIR: host.env('XDG_RUNTIME_DIR') ?? folder, ...variables };
  const { execa } = await import('execa');
  const { failed, stdout } = await execa(
    process.execPath,
    ['-e', `(async () => {${SCRIPT}})()`, dawnPath(folder)],
    { env: childEnvironment(env), extendEnv: false, stdin: 'ignore', timeout: PATIENCE, reject: false },
  );
  if (failed) return undefined;
  const limits = tryJson(LIMITS, stdout);
  return limits && largestOf(limits);
}
