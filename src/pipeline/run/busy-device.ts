import { type FoundGpus, findGpus, usedGpu } from '../prepare/gpus.js';

/**
 * Whether the GPU has less memory left than a stage is planned to need there. Asked after the stage's process has ended: what
 * is taken then is taken by others, and may be given back.
 */
export async function isDeviceHeld(
  deviceBytes: number | undefined,
  visible = process.env['CUDA_VISIBLE_DEVICES'],
  find: () => Promise<FoundGpus> = findGpus,
): Promise<boolean> {
  if (deviceBytes === undefined) return false;
  const found = await find();
  const gpu = found.state === 'found' ? usedGpu(found.gpus, visible) : undefined;
  return gpu !== undefined && gpu.freeBytes < deviceBytes;
}
