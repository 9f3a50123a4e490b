/** TensorFlow onto this machine: whole, or not at all. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  bindingPath,
  readTensorFlow,
  runtimesFolder,
  sourceDigest,
  type TensorFlowManifest,
  tensorflowDamage,
  tensorflowFolder,
} from '../../compute/tensor/runtimes/tensorflow/installed.js';
import { fetchedOther, noBuildHere } from '../../language/diagnostics/catalogue/runtimes.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { discard } from '../../language/host/own-files.js';
import {
  BINDING,
  isCudaLibrary,
  isHeader,
  isLibrary,
  NEEDED_BYTES,
  NODE_HEADERS,
  TENSORFLOW,
} from './packages.js';
import { buildBinding, requireCompiler, tryScript, unpackNpm } from './programs.js';
import {
  alone,
  bytesOf,
  filesIn,
  finish,
  type Installable,
  type InstallStep,
  removeRuntime,
  removeWheels,
  requireSpace,
} from './staging.js';
import { fetchFile, type Remote } from './transfer.js';
import { exactly, findWheel, requirementsOf } from './wheels.js';
import { textOf, unzip, withZip, ZipError } from './zip.js';

interface InstallOptions {
  /** Without kernels for GPUs, which is a tenth of the size. */
  readonly cpu: boolean;
  readonly signal: AbortSignal;
  readonly progress: (step: InstallStep) => void;
}

const TITLE = 'TensorFlow';
/** Wheels that were fetched are kept for the next try. */
const DOWNLOADS = 'downloads';
const SELF: Installable = { name: 'tensorflow', title: TITLE, kept: [DOWNLOADS] };

/** Installs, or finds that the same is installed. Throws a `UserError`, or the signal's reason. */
export async function installTensorFlow(
  host: Host,
  options: InstallOptions,
): Promise<{ readonly manifest: TensorFlowManifest; readonly already: boolean }> {
  const { cpu, signal, progress } = options;
  const known = readTensorFlow(host);
  const isWanted =
    known !== undefined &&
    known.cuda === !cpu &&
    known.tensorflow === TENSORFLOW.version &&
    known.source === sourceDigest(host);
  if (isWanted) {
    progress({ what: 'verifying it' });
    if (tensorflowDamage(host, 'all') === undefined) return { manifest: known, already: true };
  }
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new UserError(noBuildHere(TITLE, 'Linux on x64'));
  await requireCompiler(host, signal);
  const manifest = await alone(host, SELF, (staging) => putTogether(host, options, staging));
  return { manifest, already: false };
}

async function putTogether(host: Host, options: InstallOptions, staging: string) {
  const { cpu, signal, progress } = options;
  const downloads = join(runtimesFolder(host), DOWNLOADS);
  // what an earlier try has fetched takes no more
  requireSpace(runtimesFolder(host), NEEDED_BYTES[cpu ? 'cpu' : 'cuda'] - bytesAt(downloads));
  const unpacked = await unpackWheels(host, options, downloads, staging);
  progress({ what: 'fetching the sources of the binding' });
  const sources = join(staging, 'sources');
  const [binding, nodeHeaders] = [join(sources, 'tfjs-node'), join(sources, 'node')];
  await unpackNpm(BINDING, binding, signal);
  await unpackNpm(NODE_HEADERS, nodeHeaders, signal);
  progress({ what: 'building the binding' });
  const target = bindingPath(staging);
  await buildBinding(
    host,
    {
      headers: unpacked.headers,
      binding,
      nodeHeaders,
      target,
      rpath: '$ORIGIN/../tensorflow',
    },
    signal,
  );
  progress({ what: 'trying it' });
  const env = { TF_CPP_MIN_LOG_LEVEL: '2' };
  await tryScript(TITLE, [TRIAL, target], { cwd: dirname(target), signal, env });
  discard(sources);
  discard(unpacked.headers);
  progress({ what: 'recording what was installed' });
  const files = await filesIn(staging, signal);
  const manifest = finish<TensorFlowManifest>(staging, tensorflowFolder(host), {
    version: 2,
    tensorflow: TENSORFLOW.version,
    binding: BINDING.version,
    source: sourceDigest(host),
    cuda: !cpu,
    bytes: bytesOf(files),
    files,
  });
  removeWheels(downloads);
  return manifest;
}

/** Whether there was one. Throws a `UserError`. */
export const removeTensorFlow = (host: Host): Promise<boolean> =>
  removeRuntime(host, SELF, tensorflowFolder(host));

const bytesAt = (folder: string): number =>
  existsSync(folder)
    ? readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
    : 0;

async function unpackWheels(
  host: Host,
  { cpu, signal, progress }: InstallOptions,
  downloads: string,
  staging: string,
): Promise<{ readonly headers: string }> {
  const fetched = async (wheel: Remote): Promise<string> => {
    const path = join(downloads, wheel.name);
    const what = `fetching ${wheel.name}`;
    progress({ what, done: 0, total: wheel.bytes });
    await fetchFile(wheel, path, signal, (done) => progress({ what, done, total: wheel.bytes }));
    return path;
  };
  const { version, wheel } = TENSORFLOW;
  progress({ what: `looking for TensorFlow ${version}` });
  const path = await fetched(await findWheel(host, exactly(wheel[cpu ? 'cpu' : 'cuda'], version), signal));
  await unpack(path, staging, (name) => isLibrary(name) || isHeader(name), signal, progress);
  if (!cpu)
    for (const requirement of requirementsOf(await metadataOf(path), 'and-cuda'))
      await unpack(
        await fetched(await findWheel(host, requirement, signal)),
        staging,
        isCudaLibrary,
        signal,
        progress,
      );
  return { headers: join(staging, 'tensorflow', 'include') };
}

async function unpack(
  wheel: string,
  folder: string,
  isNeeded: (name: string) => boolean,
  signal: AbortSignal,
  progress: InstallOptions['progress'],
): Promise<void> {
  await withWheel(wheel, async (zip, files) => {
    const needed = files.filter(({ fileName }) => isNeeded(fileName));
    const total = needed.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0);
    let done = 0;
    for (const entry of needed) {
      signal.throwIfAborted();
      progress({ what: 'unpacking', done, total });
      await unzip(zip, entry, folder, signal);
      done += entry.uncompressedSize;
    }
  });
}

const metadataOf = (wheel: string): Promise<string> =>
  withWheel(wheel, async (zip, files) => {
    const entry = files.find(({ fileName }) => /^[^/]+\.dist-info\/METADATA$/.test(fileName));
    if (entry === undefined) throw new ZipError('it has no METADATA');
    return textOf(zip, entry);
  });

/** What is wrong with a wheel is a `UserError`. */
async function withWheel<T>(wheel: string, use: Parameters<typeof withZip<T>>[1]): Promise<T> {
  try {
    return await withZip(wheel, use);
  } catch (error) {
    throw error instanceof ZipError ? new UserError(fetchedOther(wheel, error.message)) : error;
  }
}

/** Ends well where `1 + 1` is 2. */
const TRIAL = `
try {
  const binding = require(process.argv[1]);
  const one = binding.createTensor([], binding.TF_FLOAT, Float32Array.of(1));
  const attributes = [{ name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }];
  const [sum] = binding.executeOp('AddV2', attributes, [one, one], 1);
  if (binding.tensorDataSync(sum.id)[0] !== 2) throw new Error('1 + 1 is not 2');
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}`;
