import { chooseRuntime } from '../../../compute/tensor/runtimes/choice.js';
import { deviceLimit } from '../../../compute/tensor/runtimes/device-limit.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import { bytes } from '../../../pipeline/planner/quantities.js';
import { type FoundGpus, findGpus } from '../../../pipeline/prepare/gpus.js';
import type { Check, Finding } from './finding.js';

/** NVIDIA GPUs with their memory, and how much of it a run may take. Nothing here needs one. */
export const gpu: Check = async (host) => gpuFinding(host, await findGpus());

export function gpuFinding(host: Host, found: FoundGpus): Finding {
  const name = 'GPU';
  try {
    const limit = deviceLimit(host);
    const allowed = limit === undefined ? [] : [`a run may use ${bytes(limit)} (\`FTPC_DEVICE_MEMORY\`)`];
    switch (found.state) {
      case 'none':
        return { name, state: 'note', detail: 'no NVIDIA GPU found; training runs on the CPU' };
      case 'failed':
        return {
          name,
          state: 'warning',
          detail: [`\`nvidia-smi\` does not report one: ${found.detail}`, ...allowed].join('; '),
          help: 'fix its driver; if the GPU works and only its memory size is unknown, set `FTPC_DEVICE_MEMORY`',
        };
      case 'found':
        return {
          name,
          state: 'note',
          detail: [
            ...found.gpus.map(
              (one) => `${one.name}: ${bytes(one.memoryBytes)}, of which ${bytes(one.freeBytes)} are free`,
            ),
            ...allowed,
          ].join('; '),
          help:
            chooseRuntime(host) === 'tensorflow'
              ? undefined
              : '`ftpc runtime install tensorflow` lets training run on it',
        };
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message, help } = error.diagnostic;
    return { name, state: 'failed', detail: message, help };
  }
}
