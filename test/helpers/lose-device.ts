/** Trains on WebGPU, takes the device away after the second step, and prints what comes of it: a process of its own. */

import { openRuntime } from '../../src/compute/tensor/runtimes/index.js';
import { openBackend } from '../../src/compute/tensor/runtimes/tfjs/backends.js';
import { tfjsFolder } from '../../src/compute/tensor/runtimes/tfjs/installed.js';
import { UserError } from '../../src/language/diagnostics/types.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import { trainSmall } from '../compute/training/small-training.js';

const host = nodeHost();
const codeOf = (error: unknown): string =>
  error instanceof UserError ? `${error.diagnostic.code} ${error.message}` : String(error);

try {
  const runtime = await openRuntime(host, 'webgpu');
  const { core } = await openBackend('webgpu', tfjsFolder(host, 'webgpu'));
  const { device } = core.engine().backend as unknown as { readonly device: { destroy(): void } };
  const onStep = (step: number): void => {
    if (step === 2) device.destroy();
  };
  await trainSmall(runtime, { method: 'lora', steps: 5, onStep }).catch((error: unknown) => {
    console.log(`lost: ${codeOf(error)}`);
  });
  // what was lost stays lost
  await trainSmall(runtime, { method: 'lora', steps: 1 }).catch((error: unknown) => {
    console.log(`after: ${codeOf(error)}`);
  });
} catch (error) {
  console.log(`opening: ${codeOf(error)}`);
}
