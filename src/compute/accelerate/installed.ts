/** Where `ftpc runtime install accelerate` puts its Python environment, and the files of one. */
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { digestOf } from '../../language/host/digests.js';
import { type Host, HostError } from '../../language/host/host.js';
import { finite, type JsonOf, record, tryJsonFile, version } from '../../language/host/json.js';
import { type Look, MANIFEST } from '../libraries/damage.js';
import { runtimesFolder } from '../tensor/runtimes/tensorflow/installed.js';

/** `manifest.json`, written last: a folder without it is no environment. */
const ENVIRONMENT_MANIFEST = v.object({
  version: version(1),
  /** SHA-256 of the lock that it was made of. */
  lock: v.string(),
  /** Of Python. */
  python: v.string(),
  /** Whether it computes on NVIDIA's GPUs. */
  cuda: v.boolean(),
  bytes: finite,
  /** SHA-256 of each package's `RECORD`, which lists its files with their digests; by their paths in the folder. */
  records: record(v.string()),
});
export type EnvironmentManifest = JsonOf<typeof ENVIRONMENT_MANIFEST>;

export const TITLE = 'PyTorch, transformers and PEFT';

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

/** Where the lock for a system is: `linux-x64`. */
export const lockPath = (host: Host, system: string): string =>
  join(driverFolder(host), 'locks', `${system}.txt`);

/** SHA-256 of the lock for a system; `undefined`: there is none. */
export const lockDigest = (host: Host, system: string): string | undefined =>
  host.stat(lockPath(host, system)) === undefined ? undefined : digestOf(host, lockPath(host, system));

/** What makes a folder an environment. */
const SETTINGS = 'pyvenv.cfg';

/** A file of a `RECORD`: its name may be in quotes; bytecode that is written later has no digest. */
const RECORDED = /^"?(.+?)"?,sha256=([\w-]+),\d*$/;

/**
 * What is wrong with an environment, if anything. `changed`: whether its lists are what was installed; `all`: every
 * file of them, too.
 */
export function environmentDamage(host: Host, look: Look = 'changed'): string | undefined {
  const folder = environmentFolder(host);
  // without it Python takes another folder for its own
  if (readEnvironment(host) !== undefined && host.stat(join(folder, SETTINGS)) === undefined)
    return `\`${SETTINGS}\` is gone`;
  for (const [record, digest] of Object.entries(readEnvironment(host)?.records ?? {})) {
    const damage =
      fileDamage(host, folder, record, digest) ??
      (look === 'all' ? listedDamage(host, folder, record) : undefined);
    if (damage !== undefined) return damage;
  }
  return undefined;
}

function listedDamage(host: Host, folder: string, record: string): string | undefined {
  const site = dirname(dirname(record));
  for (const line of host.readText(join(folder, record)).split('\n')) {
    const [, name, digest] = RECORDED.exec(line.trim()) ?? [];
    if (name === undefined || digest === undefined) continue;
    const damage = fileDamage(
      host,
      folder,
      join(site, name),
      Buffer.from(digest, 'base64url').toString('hex'),
    );
    if (damage !== undefined) return damage;
  }
  return undefined;
}

function fileDamage(host: Host, folder: string, name: string, digest: string): string | undefined {
  const path = join(folder, name);
  if (host.stat(path) === undefined) return `\`${name}\` is gone`;
  try {
    return digestOf(host, path) === digest ? undefined : `\`${name}\` has other content than was installed`;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return `\`${name}\` cannot be read: ${error.detail}`;
  }
}

/** The Python sources that come with ftpc: the package `ftpc_driver`, and the locks of its environment. */
export const driverFolder = (host: Host): string => join(host.packageFolder, 'python');
