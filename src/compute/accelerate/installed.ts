/** Where `ftpc runtime install accelerate` puts its Python environment, and the files of one. */
import { join } from 'node:path';
import * as v from 'valibot';
import type { Host } from '../../language/host/host.js';
import { finite, type JsonOf, record, tryJsonFile, version } from '../../language/host/json.js';
import { MANIFEST } from '../libraries/damage.js';
import { runtimesFolder } from '../tensor/runtimes/tensorflow/installed.js';

/** `manifest.json`, written last: a folder without it is no environment. */
const ENVIRONMENT_MANIFEST = v.object({
  version: version(1),
  /** SHA-256 of the lock that it was made of. */
  lock: v.string(),
  /** Of Python. */
  python: v.string(),
  bytes: finite,
  /** SHA-256 of each package's `RECORD`, which lists its files with their digests; by their paths in the folder. */
  records: record(v.string()),
});
export type EnvironmentManifest = JsonOf<typeof ENVIRONMENT_MANIFEST>;

export const environmentFolder = (host: Host): string => join(runtimesFolder(host), 'accelerate');

/** The Python of an environment in `folder`. */
export const pythonIn = (folder: string): string =>
  process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');

/** `undefined` if it is not installed, or without what is written last. */
export function readEnvironment(host: Host): EnvironmentManifest | undefined {
  const folder = environmentFolder(host);
  return host.stat(pythonIn(folder)) === undefined
    ? undefined
    : tryJsonFile(ENVIRONMENT_MANIFEST, host, join(folder, MANIFEST));
}

/** The Python sources that come with ftpc: the package `ftpc_driver`, and the locks of its environment. */
export const driverFolder = (host: Host): string => join(host.packageFolder, 'python');
