/** Runtimes as they are on this machine: what is not installed is left out, and the reason is the title of a skipped test. */

import { openRuntime, runtimeProblem } from '../../../../src/compute/tensor/runtimes/index.js';
import { PLAIN } from '../../../../src/compute/tensor/runtimes/tensorflow/variants.js';
import type { Runtime } from '../../../../src/compute/tensor/types.js';
import { type Diagnostic, UserError } from '../../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { RUNTIME_NAMES, type RuntimeName } from '../../../../src/language/ir/runtimes.js';

const host = nodeHost();

type Reason = Pick<Diagnostic, 'message' | 'help'>;

/** Chromium's driver, which computes on the CPU, where no other one is named. */
const SOFTWARE_VULKAN = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (host.stat(SOFTWARE_VULKAN) !== undefined) process.env['VK_ICD_FILENAMES'] ??= SOFTWARE_VULKAN;

/** The process has one TensorFlow, whose threads are set once. XLA compiles the small graphs of tests, too. */
export const openHere = (name: RuntimeName, variant = PLAIN): Promise<Runtime> =>
  openRuntime(host, name, { threads: 1, variant, compiledFrom: 0 });

/** What keeps each runtime from being used here. */
const problems: Map<RuntimeName, Reason | undefined> = new Map(
  RUNTIME_NAMES.map((name) => [name, runtimeProblem(host, name)]),
);

/**
 * Dawn and TensorFlow do not get on in one process, so that WebGPU has one of its own (`.mocharc.webgpu.json`), and is left
 * out in the others. It may be installed on a machine without a GPU.
 */
if (process.env['FTPC_TEST_WEBGPU'] === undefined)
  problems.set('webgpu', {
    message: 'its tests have a process of their own',
    help: '`npm run test:long` runs them after the others',
  });
else if (problems.get('webgpu') === undefined)
  await openHere('webgpu').catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    problems.set('webgpu', error.diagnostic);
  });

/**
 * Why this processor rounds products in bfloat16 more than once: without AVX-512, TensorFlow leaves them to Eigen, whose
 * partial sums are in bfloat16 too. `undefined` where it does not, or cannot be told.
 */
export function whyBf16RoundsTwice(): string | undefined {
  const info = '/proc/cpuinfo';
  if (process.arch !== 'x64' || host.stat(info) === undefined || /avx512/.test(host.readText(info)))
    return undefined;
  return 'this processor has no AVX-512, without which TensorFlow rounds partial sums to bfloat16';
}

/**
 * Tests of a runtime, or one skipped test that says why there are none. Those of runtimes that have to be installed first are
 * left to `npm run test:long`.
 */
export function whereInstalled(name: RuntimeName, tests: () => void): void {
  const problem = problems.get(name);
  if (problem !== undefined) skipped(name, problem);
  else if (name === 'onnx') tests();
  else describe('@long', tests);
}

const skipped = (name: RuntimeName, problem: Reason): unknown =>
  it.skip(`with ${name}: ${problem.message}; ${problem.help}`, () => {});
