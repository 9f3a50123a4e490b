/** Name and version of the tensor runtime, without loading it. */
import { createRequire } from 'node:module';
import type { Host } from '../source/host.js';
import type { RuntimeIdentity } from './keys.js';

const PACKAGE = 'onnxruntime-node';

export function installedRuntime(host: Host): RuntimeIdentity {
  try {
    const path = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
    const { version } = JSON.parse(host.readText(path)) as { readonly version: string };
    return { name: 'onnx', version };
  } catch {
    return { name: 'onnx', version: 'missing' };
  }
}
