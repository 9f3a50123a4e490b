/** Checks of the machine, of its GPUs and of the libraries. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { libraryPlace, libraryVersion, loadLibrary } from '../../../compute/libraries/index.js';
import { chooseRuntime } from '../../../compute/tensor/runtimes/choice.js';
import { deviceLimit } from '../../../compute/tensor/runtimes/device-limit.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import { bytes } from '../../../pipeline/planner/quantities.js';
import { type FoundGpus, findGpus } from '../../../pipeline/prepare/gpus.js';
import type { CliContext } from '../cli-context.js';

/** `note`: good to know; nothing depends on it. */
export type State = 'ok' | 'warning' | 'failed' | 'note';

export interface Finding {
  readonly name: string;
  readonly state: State;
  /** What was found. */
  readonly detail: string;
  /** What to do, where something is wrong. */
  readonly help?: string;
}

/** What the command was asked for, and how it shows what it is at. */
export interface DoctorOptions {
  /** What `--python` names. */
  readonly python?: string;
  readonly context: CliContext;
  readonly progress: (what: string) => void;
}

/** `undefined`: there is nothing to look at. */
export type Check = (host: Host, options: DoctorOptions) => Promise<Finding | undefined>;

/** Right, or `problem`, for which there is help. */
const judged = (
  name: string,
  detail: string,
  problem: false | 'warning' | 'failed',
  help: string,
): Finding => (problem === false ? { name, state: 'ok', detail } : { name, state: problem, detail, help });

export const failed = (name: string, detail: string, help: string): Finding =>
  judged(name, detail, 'failed', help);

export const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';

const OLDEST: readonly [number, number] = [20, 19];
/** Checkpoints and merged weights of the smallest real models already need this much. Bytes. */
const LITTLE_DISK = 2 * 2 ** 30;
const LITTLE_MEMORY = 2 * 2 ** 30;

export const node: Check = async () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const old = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  return judged('node', process.versions.node, old && 'failed', `install Node ${OLDEST.join('.')} or newer`);
};

export const cores: Check = async (host) => {
  const { cores: count, cpu } = host.machine();
  return { name: 'cores', state: 'ok', detail: `${count} (${cpu})` };
};

export const memory: Check = async (host) => {
  const { memoryBytes } = host.machine();
  const problem = memoryBytes < LITTLE_MEMORY && 'warning';
  const help = 'the planner will choose small shapes; see `ftpc plan`';
  return judged('memory', `${bytes(memoryBytes)} for this process`, problem, help);
};

export const disk: Check = async (host) => {
  const stat = statfsSync(host.cwd);
  const free = stat.bavail * stat.bsize;
  const problem = free < LITTLE_DISK && 'warning';
  const help = 'free some space: `ftpc plan` says what a run will write';
  return judged('disk', `${bytes(free)} free in ${host.cwd}`, problem, help);
};

export const writing: Check = async (host) => {
  const root = join(host.cwd, '.ftp');
  const folder = existsSync(root) ? root : host.cwd;
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return { name: 'write access', state: 'ok', detail: folder };
  } catch (error) {
    return failed('write access', firstLine(error), 'run in a folder of your own');
  }
};

/** Loads the library: native code that does not fit the system fails only then. */
export const tokenizers: Check = async (host) => {
  const name = 'tokenizers';
  const version = libraryVersion(host, name);
  try {
    await loadLibrary(name, host, 'all');
    return { name, state: 'ok', detail: [version ?? 'unknown', libraryPlace(host, name)].join(', ') };
  } catch (error) {
    if (error instanceof UserError)
      return failed(name, error.diagnostic.message, error.diagnostic.help ?? '');
    const help = 'install ftpc again on this machine: the library differs between systems';
    return failed(name, `${version} does not load: ${firstLine(error)}`, help);
  }
};

export const starter: Check = async (host) => {
  const folder = `${host.packageFolder}/stdlib/models/starter`;
  const found = host.stat(`${folder}/config.json`) !== undefined;
  const help = '`starter()` will not be found; reinstall ftpc, or name another base';
  return judged('starter model', found ? folder : `missing: ${folder}`, !found && 'warning', help);
};

/** NVIDIA GPUs with their memory, and how much of it a run may take. Nothing here needs one. */
export const gpu: Check = async (host) => gpuFinding(host, await findGpus());

export function gpuFinding(host: Host, found: FoundGpus): Finding {
  const name = 'GPU';
  try {
    const limit = deviceLimit(host);
    const allowed = limit === undefined ? [] : [`a run may use ${bytes(limit)} (\`FTPC_DEVICE_MEMORY\`)`];
    switch (found.state) {
      case 'none':
        return { name, state: 'note', detail: 'no NVIDIA GPU found; training runs on the CPU' };
      case 'failed':
        return {
          name,
          state: 'warning',
          detail: [`\`nvidia-smi\` does not report one: ${found.detail}`, ...allowed].join('; '),
          help: 'fix its driver; if the GPU works and only its memory size is unknown, set `FTPC_DEVICE_MEMORY`',
        };
      case 'found':
        return {
          name,
          state: 'note',
          detail: [
            ...found.gpus.map(
              (one) => `${one.name}: ${bytes(one.memoryBytes)}, of which ${bytes(one.freeBytes)} are free`,
            ),
            ...allowed,
          ].join('; '),
          help:
            chooseRuntime(host) === 'tensorflow'
              ? undefined
              : '`ftpc runtime install tensorflow` lets training run on it',
        };
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message, help } = error.diagnostic;
    return { name, state: 'failed', detail: message, help };
  }
}
