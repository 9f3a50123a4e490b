/** The runtimes that execute graphs, by name. A library is loaded when its runtime is opened, and not before. */
import {
  driverInSoftware,
  runtimeBroken,
  runtimeDamaged,
  runtimeMissing,
} from '../../../language/diagnostics/catalogue/runtimes.js';
import { type Diagnostic, UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import type { RuntimeName } from '../../../language/ir/runtimes.js';
import type { Look } from '../../libraries/damage.js';
import { libraryMissing, libraryVersion } from '../../libraries/index.js';
import { OutOfMemoryError } from '../out-of-memory.js';
import type { Runtime } from '../types.js';
import { deviceLimit } from './device-limit.js';
import { bindingPath, tensorflowDamage, tensorflowFolder } from './tensorflow/installed.js';
import { checkForced, tensorflowVersion, type Variant, variantOf } from './tensorflow/variants.js';
import { readTfjs, type TfjsName, tfjsDamage, tfjsFolder, tfjsVersion } from './tfjs/installed.js';

/** Part of the keys of what is computed. */
export interface RuntimeIdentity {
  readonly name: string;
  readonly version: string;
}

export interface RuntimeOptions {
  /** Threads inside one op; default: one per core. */
  readonly threads?: number;
  /** Other processes compute at the same time: threads that wait leave them the cores. Default: as the machine's load says. */
  readonly crowded?: boolean;
  /** Told what slows a run down. */
  readonly warn?: (warning: Diagnostic) => void | Promise<void>;
  /** Bytes that tensors may take on a device, besides what the machine's variable allows. */
  readonly deviceMemory?: number;
  /** How TensorFlow computes; default: what was measured to be fastest. */
  readonly variant?: Variant;
  /** Operations of a run from which on its XLA compiles a graph, where it has one; 0 for tests. */
  readonly compiledFrom?: number;
  /** Which files of an installation are read before it is loaded. */
  readonly look?: Look;
}

interface RuntimeKind {
  readonly title: string;
  /** One sentence. */
  readonly doc: string;
  /** Its version, found out without loading it; `undefined` if it is not installed. */
  readonly version: (host: Host) => string | undefined;
  /** What is wrong with an installation, as far as its files tell; absent: it is ftpc's own. */
  readonly damage?: (host: Host, look?: Look) => string | undefined;
  readonly open: (host: Host, options: RuntimeOptions) => Promise<Runtime>;
  /** How it comes onto a machine. */
  readonly install: string;
  /** What is said where it is not installed; default: how to install it. */
  readonly missing?: (host: Host) => Diagnostic | undefined;
  /** How to reinstall it; default: in the same way. */
  readonly reinstall?: string;
}

/** `install` alone would keep an installation whose files are intact. */
const removeAndInstall = (name: RuntimeName): string =>
  `run \`ftpc runtime remove ${name}\`, then \`ftpc runtime install ${name}\``;

/** A backend of TensorFlow.js. */
const tfjs = (name: TfjsName, title: string, doc: string): RuntimeKind => ({
  title,
  doc,
  version: (host) => {
    const found = readTfjs(host, name);
    return found && tfjsVersion(found);
  },
  damage: (host, look) => tfjsDamage(host, name, look),
  open: async (host, { deviceMemory }) =>
    (await import('./tfjs/index.js')).tfjsRuntime({
      name,
      folder: tfjsFolder(host, name),
      memory: deviceLimit(host, deviceMemory),
    }),
  install: `run \`ftpc runtime install ${name}\``,
  reinstall: removeAndInstall(name),
});

export const RUNTIMES: Readonly<Record<RuntimeName, RuntimeKind>> = {
  onnx: {
    title: 'ONNX Runtime',
    doc: 'Comes with ftpc and computes on the CPU.',
    version: (host) => libraryVersion(host, 'onnxruntime-node'),
    open: async (host, { threads, look, crowded }) => {
      const { isCrowded, onnxRuntime } = await import('./onnx/index.js');
      return onnxRuntime({ host, look, threads, crowded: crowded === true || isCrowded(host.machine()) });
    },
    install: 'install ftpc again on this machine',
    missing: (host) => libraryMissing(host, 'onnxruntime-node'),
  },
  tensorflow: {
    title: 'TensorFlow',
    doc: 'Is installed by `ftpc runtime install tensorflow` and computes on NVIDIA GPUs, or on the CPU.',
    version: tensorflowVersion,
    damage: tensorflowDamage,
    open: async (host, options) => {
      checkForced(host);
      const { tensorflowRuntime } = await import('./tensorflow/index.js');
      return tensorflowRuntime({
        binding: bindingPath(tensorflowFolder(host)),
        threads: options.threads ?? host.machine().cores,
        memory: deviceLimit(host, options.deviceMemory),
        variant: options.variant ?? variantOf(host),
        compiledFrom: options.compiledFrom,
      });
    },
    install: 'run `ftpc runtime install tensorflow`',
    reinstall: removeAndInstall('tensorflow'),
  },
  webgpu: tfjs(
    'webgpu',
    'TensorFlow.js on WebGPU',
    'Is installed by `ftpc runtime install webgpu` and computes on a GPU of any vendor, without CUDA.',
  ),
  wasm: tfjs(
    'wasm',
    'TensorFlow.js in WebAssembly',
    'Is installed by `ftpc runtime install wasm` and computes on one core: for tests and small work.',
  ),
  cpu: tfjs(
    'cpu',
    'TensorFlow.js in JavaScript',
    'Is installed by `ftpc runtime install cpu` and computes on one core, slowly: for tests.',
  ),
};

export const isRuntime = (name: string): name is RuntimeName => Object.hasOwn(RUNTIMES, name);

/** What is wrong where the runtime is not installed. */
export function runtimeProblem(host: Host, name: RuntimeName): Diagnostic | undefined {
  const { title, version, missing, install } = RUNTIMES[name];
  return version(host) === undefined ? (missing?.(host) ?? runtimeMissing(title, install)) : undefined;
}

export const identityOf = (host: Host, name: RuntimeName): RuntimeIdentity => ({
  name,
  version: RUNTIMES[name].version(host) ?? 'missing',
});

/** Throws a `UserError` if the runtime is missing, damaged, or does not load. */
export async function openRuntime(
  host: Host,
  name: RuntimeName,
  options: RuntimeOptions = {},
): Promise<Runtime> {
  const problem = runtimeProblem(host, name);
  if (problem !== undefined) throw new UserError(problem);
  const { title, damage, open, install, reinstall = install } = RUNTIMES[name];
  const requireWhole = (look?: Look): void => {
    const damaged = damage?.(host, look);
    if (damaged !== undefined) throw new UserError(runtimeDamaged({ name, title }, damaged, install));
  };
  requireWhole(options.look);
  try {
    const opened = await open(host, options);
    if (opened.driver?.isSoftware === true) await options.warn?.(driverInSoftware(opened.driver.name));
    return opened;
  } catch (error) {
    if (error instanceof UserError || error instanceof OutOfMemoryError) throw error;
    requireWhole('all');
    throw new UserError(
      runtimeBroken({ name, title }, error instanceof Error ? error.message : String(error), reinstall),
    );
  }
}
