/** The Python environment of the accelerate engine onto this machine: whole, or not at all. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  type EnvironmentManifest,
  environmentDamage,
  environmentFolder,
  lockDigest,
  lockPath,
  pythonIn,
  readEnvironment,
  TITLE,
} from '../../compute/accelerate/installed.js';
import { platformHere } from '../../compute/libraries/platform.js';
import { runtimesFolder } from '../../compute/tensor/runtimes/tensorflow/installed.js';
import { installerFailed } from '../../language/diagnostics/catalogue/environment.js';
import { noBuildHere } from '../../language/diagnostics/catalogue/runtimes.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { discard } from '../../language/host/own-files.js';
import { writeWhole } from '../../pipeline/store/index.js';
import { type BasePython, basePython, PYTHONS_FOLDER } from './base-python.js';
import { fetchWheels } from './fetch-wheels.js';
import { syncEverything, tryProgram } from './programs.js';
import { type LockedWheel, lockText, readLock, wheelsFor } from './python-lock.js';
import {
  alone,
  finish,
  type Installable,
  type InstallStep,
  removeRuntime,
  removeWheels,
  requireSpace,
} from './staging.js';
import { digestOf } from './transfer.js';
import { fetchUv, runUv, UV_SYSTEMS } from './uv.js';

interface InstallOptions {
  /** Without what only GPUs use. */
  readonly cpu: boolean;
  /** The Python that it is made with; default: one of the system. */
  readonly python?: string;
  readonly signal: AbortSignal;
  readonly progress: (step: InstallStep) => void;
}

/** Wheels that were fetched are kept for the next try. */
const DOWNLOADS = 'accelerate-downloads';
const SELF: Installable = { name: 'accelerate', title: TITLE, kept: [DOWNLOADS, PYTHONS_FOLDER] };

/** Packages that torch does not load where there is no GPU. The index has no smaller build of torch itself for Linux. */
const ONLY_FOR_GPUS: ReadonlySet<string> = new Set(['triton', 'nvidia-cusolver']);

/** Bytes on the disk per byte of a wheel, while it is there and unpacked. */
const UNPACKED = 3.2;

/** Installs, or finds that the same is installed. Throws a `UserError`, or the signal's reason. */
export async function installAccelerate(
  host: Host,
  options: InstallOptions,
): Promise<{ readonly manifest: EnvironmentManifest; readonly already: boolean }> {
  const { cpu, python, signal, progress } = options;
  const system = platformHere();
  const lock = lockDigest(host, system);
  if (lock === undefined || !UV_SYSTEMS.includes(system))
    throw new UserError(noBuildHere(TITLE, 'Linux with glibc on x64 and arm64, and macOS on arm64'));
  const known = readEnvironment(host);
  if (known?.lock === lock && known.cuda === hasCuda(system, cpu) && python === undefined) {
    progress({ what: 'verifying it' });
    if (environmentDamage(host, 'all') === undefined) return { manifest: known, already: true };
  }
  const manifest = await alone(host, SELF, (staging) =>
    putTogether(host, options, { system, lock, staging }),
  );
  signal.throwIfAborted();
  return { manifest, already: false };
}

/** Whether there was one. Throws a `UserError`. */
export const removeAccelerate = (host: Host): Promise<boolean> =>
  removeRuntime(host, SELF, environmentFolder(host));

const hasCuda = (system: string, cpu: boolean): boolean => system.startsWith('linux') && !cpu;

interface Place {
  readonly system: string;
  /** Digest of the lock. */
  readonly lock: string;
  readonly staging: string;
}

async function putTogether(host: Host, options: InstallOptions, { system, lock, staging }: Place) {
  const { cpu, signal, progress } = options;
  const downloads = join(runtimesFolder(host), DOWNLOADS);
  const all = readLock(host.readText(lockPath(host, system)));
  progress({ what: 'fetching uv' });
  const uv = await fetchUv(host, system, { downloads, folder: staging }, signal);
  progress({ what: 'looking for a Python' });
  const base = await basePython(host, { uv, staging, ...options });
  const wheels = wheelsFor(all, base.minor).filter(({ project }) => !cpu || !ONLY_FOR_GPUS.has(project));
  await fetchAll(host, wheels, downloads, options);
  const folder = join(staging, 'environment');
  await unpack({ uv, staging, downloads, folder }, base, wheels, options);
  progress({ what: 'trying it, which takes a minute' });
  await tryProgram(TITLE, pythonIn(folder), ['-c', TRIAL], { cwd: staging, signal });
  progress({ what: 'recording what was installed' });
  await syncEverything(folder, signal);
  const manifest = finish<EnvironmentManifest>(folder, environmentFolder(host), {
    version: 1,
    lock,
    python: base.version,
    cuda: hasCuda(system, cpu),
    bytes: bytesIn(folder),
    records: await recordsIn(folder, base.minor),
  });
  removeWheels(downloads);
  return manifest;
}

async function fetchAll(
  host: Host,
  wheels: readonly LockedWheel[],
  downloads: string,
  { signal, progress }: InstallOptions,
): Promise<void> {
  const total = wheels.reduce((sum, { bytes }) => sum + bytes, 0);
  // what an earlier try has fetched takes no more
  requireSpace(runtimesFolder(host), UNPACKED * total - bytesIn(downloads));
  const wanted: ReadonlySet<string> = new Set(wheels.map(({ name }) => name));
  removeWheels(downloads, (name) => !wanted.has(name) && !name.startsWith('uv-'));
  const what = `fetching ${wheels.length} packages`;
  progress({ what, done: 0, total });
  await fetchWheels(host, wheels, downloads, signal, (done) => progress({ what, done, total }));
}

interface Folders {
  readonly uv: string;
  readonly staging: string;
  readonly downloads: string;
  readonly folder: string;
}

/** An environment of nothing but these wheels. */
async function unpack(
  { uv, staging, downloads, folder }: Folders,
  base: BasePython,
  wheels: readonly LockedWheel[],
  { signal, progress }: InstallOptions,
): Promise<void> {
  progress({ what: 'unpacking and compiling, which takes some minutes' });
  const cache = join(staging, 'cache');
  const env = { UV_CACHE_DIR: cache, UV_PYTHON_DOWNLOADS: 'never' };
  const steps: readonly (readonly [string, readonly string[]])[] = [
    ['make an environment', ['venv', folder, '--python', base.python, '--relocatable', '--no-project']],
    [
      'install packages',
      [
        ...['pip', 'install', '--python', pythonIn(folder), '--no-deps', '--require-hashes', '--no-index'],
        ...['--find-links', downloads, '--requirement', join(staging, 'lock.txt')],
        // compiled at each start otherwise, where nothing may be written or the environment says so: half a minute
        '--compile-bytecode',
      ],
    ],
  ];
  writeWhole(join(staging, 'lock.txt'), lockText([], wheels), { sync: false });
  for (const [what, words] of steps) {
    const { isDone, said } = await runUv(uv, words, { cwd: staging, signal, env });
    if (!isDone) throw new UserError(installerFailed(what, said));
  }
  discard(cache);
}

/** Files that are the same on the disk count once. */
function bytesIn(folder: string): number {
  if (!existsSync(folder)) return 0;
  const seen = new Set<number>();
  let sum = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const { size, ino } = statSync(join(entry.parentPath, entry.name));
    if (!seen.has(ino)) sum += size;
    seen.add(ino);
  }
  return sum;
}

async function recordsIn(folder: string, minor: number): Promise<Readonly<Record<string, string>>> {
  const site = join(folder, 'lib', `python3.${minor}`, 'site-packages');
  const found: Record<string, string> = {};
  for (const name of readdirSync(site).filter((one) => one.endsWith('.dist-info'))) {
    const path = join(site, name, 'RECORD');
    found[relative(folder, path)] = await digestOf(path);
  }
  return found;
}

/** Ends well where everything loads and a product has the right sum. */
const TRIAL = `
import torch, transformers, peft, accelerate, safetensors.torch, bitsandbytes, gguf, sentencepiece, torch.distributed
from transformers import LlamaConfig, LlamaForCausalLM
with torch.device("meta"):
    LlamaForCausalLM(LlamaConfig(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, vocab_size=8))
assert (torch.ones(4, 4) @ torch.ones(4, 4)).sum().item() == 64
`;
