/** Where TensorFlow is installed, and the files of an installation. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as v from 'valibot';
import { cacheFolder } from '../../../../language/host/cache-folder.js';
import type { Host } from '../../../../language/host/host.js';
import { finite, type JsonOf, tryJsonFile, version } from '../../../../language/host/json.js';
import { damageOf, INSTALLED_FILES, type Look, MANIFEST } from '../../../libraries/damage.js';

/** `manifest.json`, written last: a folder without it is no installation. */
const TENSORFLOW_MANIFEST = v.object({
  version: version(2),
  tensorflow: v.string(),
  /** Version of `@tensorflow/tfjs-node`, whose binding was built. */
  binding: v.string(),
  /** {@link sourceDigest} of what was built with it; left out by versions that did not write it down. */
  source: v.optional(v.string()),
  /** Whether it computes on NVIDIA's GPUs. */
  cuda: v.boolean(),
  bytes: finite,
  /** Manifests of earlier versions have none, and are trusted. */
  files: v.optional(INSTALLED_FILES),
});
export type TensorFlowManifest = JsonOf<typeof TENSORFLOW_MANIFEST>;

export { MANIFEST };

/** Where our part of the binding is, which is compiled along with it. */
export const sourcePath = (host: Host): string => join(host.packageFolder, 'native', 'tensorflow.cc');

/** SHA-256 of our part of the binding. */
export const sourceDigest = (host: Host): string =>
  createHash('sha256')
    .update(host.readText(sourcePath(host)))
    .digest('hex');

/** What is wrong with what is installed, if anything. */
export function tensorflowDamage(host: Host, look?: Look): string | undefined {
  const found = readTensorFlow(host);
  return found && damageOf(host, tensorflowFolder(host), found.files, look);
}

/** Folder of everything that is installed in addition to the package. */
export const runtimesFolder = (host: Host): string => join(cacheFolder(host), 'runtimes');

export const tensorflowFolder = (host: Host): string => join(runtimesFolder(host), 'tensorflow');

export const bindingPath = (folder: string): string => join(folder, 'binding', 'tfjs_binding.node');

/** `undefined` if it is not installed, or without what is written last. */
export function readTensorFlow(host: Host): TensorFlowManifest | undefined {
  const folder = tensorflowFolder(host);
  return host.stat(bindingPath(folder)) === undefined
    ? undefined
    : tryJsonFile(TENSORFLOW_MANIFEST, host, join(folder, MANIFEST));
}
