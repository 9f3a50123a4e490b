/** The GPU that a plan has to reckon with: that of this machine, where the runtime computes on one. */
import { deviceSizeUnknown } from '../diagnostics/catalogue/runtimes.js';
import type { Diagnostic } from '../diagnostics/types.js';
import { findGpus, usedGpu } from '../install/gpus.js';
import type { PlannedDevice } from '../planner/types.js';
import type { Host } from '../source/host.js';
import { deviceLimit } from '../tensor/runtimes/device-limit.js';
import type { RuntimeIdentity } from '../tensor/runtimes/index.js';

export interface FoundDevice {
  readonly device?: PlannedDevice;
  readonly diagnostics: readonly Diagnostic[];
}

/** Some of a GPU's memory is lost to fragmentation. */
const USABLE = 0.95;
const NONE: FoundDevice = { diagnostics: [] };

/** Throws a `UserError` where the limit that is set is none. */
export async function plannedDevice(host: Host, { name, version }: RuntimeIdentity): Promise<FoundDevice> {
  if (name !== 'tensorflow' || !version.endsWith('+cuda')) return NONE;
  const limit = deviceLimit(host);
  const path = host.env('PATH');
  const found = await findGpus(path === undefined ? {} : { PATH: path });
  if (found.state === 'none') return NONE;
  if (found.state === 'failed')
    return limit === undefined
      ? { diagnostics: [deviceSizeUnknown(found.detail)] }
      : { device: { name: 'GPU', memoryBytes: limit, availableBytes: limit }, diagnostics: [] };
  const gpu = usedGpu(found.gpus, host.env('CUDA_VISIBLE_DEVICES'));
  if (gpu === undefined) return NONE;
  const { memoryBytes } = gpu;
  const availableBytes = Math.min(Math.floor(USABLE * memoryBytes), limit ?? memoryBytes);
  return { device: { name: gpu.name, memoryBytes, availableBytes }, diagnostics: [] };
}
