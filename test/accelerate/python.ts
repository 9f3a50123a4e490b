/** The Python that tests of the accelerate engine compute with; where there is none they say so and are left out. */
import type { AccelerateEngine } from '../../src/compute/accelerate/engine.js';
import { tryPython } from '../../src/compute/accelerate/environment.js';
import type { Sharding } from '../../src/compute/accelerate/spec.js';
import { nodeHost } from '../../src/language/host/node-host.js';

const found = tryPython(nodeHost());

/** The one that `FTPC_PYTHON` names, else the installed one. */
export const PYTHON = 'code' in found ? undefined : found.python;
const missing = 'code' in found ? found.message : undefined;

/** A suite that needs Python. */
export const withPython = (title: string, suite: () => void): void => {
  if (missing === undefined) describe(title, suite);
  else it.skip(`${title} (not run: ${missing})`, () => {});
};

/** So many ranks on the CPU. */
export const ranks = (
  devices: number,
  sharding: Sharding = devices === 1 ? 'none' : 'ddp',
): AccelerateEngine => ({
  python: PYTHON ?? 'python3',
  versions: {},
  device: 'cpu',
  devices,
  sharding,
  offload: false,
  attention: 'eager',
});
