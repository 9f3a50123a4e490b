/** Where TensorFlow stands once it is installed, and what stands there. */
import { join } from 'node:path';
import type { Host } from '../../../source/host.js';
import { damageOf, MANIFEST } from '../whole.js';

/** `manifest.json`, written last: a folder without it is no installation. */
export interface TensorFlowManifest {
  readonly version: 2;
  readonly tensorflow: string;
  /** Version of `@tensorflow/tfjs-node`, whose binding was built. */
  readonly binding: string;
  /** Whether it computes on NVIDIA's GPUs. */
  readonly cuda: boolean;
  readonly bytes: number;
}

export { MANIFEST };

/** The user's cache folder: `XDG_CACHE_HOME`, else `~/.cache`. */
const cacheFolder = (host: Host): string =>
  host.env('XDG_CACHE_HOME') || join(host.env('HOME') ?? host.env('USERPROFILE') ?? host.cwd, '.cache');

/** What is wrong with what is installed, if anything. */
export function tensorflowDamage(host: Host): string | undefined {
  const found = readTensorFlow(host);
  return found && damageOf(host, tensorflowFolder(host), found.bytes);
}

/** Folder of everything that is installed beside the package. */
export const runtimesFolder = (host: Host): string => join(cacheFolder(host), 'ftpc', 'runtimes');

export const tensorflowFolder = (host: Host): string => join(runtimesFolder(host), 'tensorflow');

export const bindingPath = (folder: string): string => join(folder, 'binding', 'tfjs_binding.node');

/** `undefined` where it is not installed, or without what is written last. */
export function readTensorFlow(host: Host): TensorFlowManifest | undefined {
  const folder = tensorflowFolder(host);
  if (host.stat(join(folder, MANIFEST)) === undefined || host.stat(bindingPath(folder)) === undefined)
    return undefined;
  try {
    const found: TensorFlowManifest = JSON.parse(host.readText(join(folder, MANIFEST)));
    return found.version === 2 && typeof found.tensorflow === 'string' && Number.isFinite(found.bytes)
      ? found
      : undefined;
  } catch {
    return undefined;
  }
}
