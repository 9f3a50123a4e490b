/** Runtimes as they stand on this machine: what is not installed is left out, and the reason is the title of a skipped test. */

import type { RuntimeName } from '../../../src/ir/runtimes.js';
import { nodeHost } from '../../../src/source/node-host.js';
import { openRuntime, runtimeProblem } from '../../../src/tensor/runtimes/index.js';
import type { Runtime } from '../../../src/tensor/types.js';

const host = nodeHost();

/** The process has one TensorFlow, whose threads are set once. */
export const openHere = (name: RuntimeName): Promise<Runtime> => openRuntime(host, name, { threads: 1 });

/** Tests of a runtime, or one skipped test that says why there are none. */
export function whereInstalled(name: RuntimeName, tests: () => void): void {
  const problem = runtimeProblem(host, name);
  if (problem === undefined) tests();
  else it.skip(`with ${name}: ${problem.message}; ${problem.help}`, () => {});
}
