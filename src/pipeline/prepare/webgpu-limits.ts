/** What the GPU that WebGPU computes on takes, as its driver tells. */
import { execa } from 'execa';
import * as v from 'valibot';
import { largestOf } from '../../compute/tensor/runtimes/tfjs/driver.js';
import { dawnPath, tfjsFolder } from '../../compute/tensor/runtimes/tfjs/installed.js';
import type { Host } from '../../language/host/host.js';
import { finite, tryJson } from '../../language/host/json.js';

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
  const { failed, stdout } = await execa(
    process.execPath,
    ['-e', `(async () => {${SCRIPT}})()`, dawnPath(folder)],
    { env, stdin: 'ignore', timeout: PATIENCE, reject: false },
  );
  if (failed) return undefined;
  const limits = tryJson(LIMITS, stdout);
  return limits && largestOf(limits);
}
