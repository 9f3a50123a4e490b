/** NVIDIA GPUs of this machine and their memory, as `nvidia-smi` tells. */
import { childEnvironment } from '../../language/host/child-environment.js';

export interface Gpu {
  readonly index: number;
  readonly uuid: string;
  readonly name: string;
  /** Bytes that programs can see, and those that none has taken. */
  readonly memoryBytes: number;
  readonly freeBytes: number;
  /** Compute capability, `8.6`; an old driver does not tell it. */
  readonly capability?: number;
}

export type FoundGpus =
  | { readonly state: 'none' }
  | { readonly state: 'found'; readonly gpus: readonly Gpu[] }
  /** It is there and does not tell. */
  | { readonly state: 'failed'; readonly detail: string };

const PROGRAM = 'nvidia-smi';
const FIELDS = 'index,uuid,name,memory.total,memory.free';
/** What it ends with where it does not know a field. */
const UNKNOWN_FIELD = 2;
/** Milliseconds: a driver that is being loaded takes seconds. */
const PATIENCE = 10_000;
const MIB = 2 ** 20;

/** Never throws. `env` is laid over the environment of this process. */
export async function findGpus(env: Readonly<Record<string, string>> = {}): Promise<FoundGpus> {
  const whole = await ask(`${FIELDS},compute_cap`, env);
  const result = whole.exitCode === UNKNOWN_FIELD ? await ask(FIELDS, env) : whole;
  if (result.code === 'ENOENT' || result.code === 'EACCES') return { state: 'none' };
  const { stdout, stderr } = result;
  const lines = stdout.split('\n').filter((line) => line.trim() !== '');
  if (lines.some((line) => line.startsWith('No devices were found'))) return { state: 'none' };
  if (result.timedOut) return failed(`it does not answer within ${PATIENCE / 1000} s`);
  if (result.failed) return failed(firstLine(`${stdout}\n${stderr}`) ?? `it ends with ${result.exitCode}`);
  const gpus = lines.map(readGpu);
  const unread = lines[gpus.indexOf(undefined)];
  if (unread !== undefined) return failed(`it says \`${unread.trim()}\``);
  return lines.length === 0
    ? failed('it says nothing')
    : { state: 'found', gpus: gpus.filter((gpu) => gpu !== undefined) };
}

/** The package has some 170 files, which take longer to load than all else that a plan needs, and most plans start nothing. */
async function ask(fields: string, env: Readonly<Record<string, string>>) {
  const { execa } = await import('execa');
  return execa(PROGRAM, [`--query-gpu=${fields}`, '--format=csv,noheader,nounits'], {
    env: childEnvironment({ ...env, LC_ALL: 'C' }),
    extendEnv: false,
    stdin: 'ignore',
    timeout: PATIENCE,
    reject: false,
  });
}

const failed = (detail: string): FoundGpus => ({ state: 'failed', detail });

const firstLine = (text: string): string | undefined =>
  text
    .split('\n')
    .map((line) => line.trim())
    .find((line) => line !== '');

/** Sizes are in MiB; a GPU that shares the machine's memory says `[N/A]`. */
function readGpu(line: string): Gpu | undefined {
  const [, index, uuid = '', name = '', total, free, capability] =
    /^\s*(\d+), ([^,]+), (.+), (\d+), (\d+)(?:, (\d+\.\d+|\[[^\]]*\]))?\s*$/.exec(line) ?? [];
  if (index === undefined || Number(total) === 0) return undefined;
  const [memoryBytes, freeBytes] = [MIB * Number(total), MIB * Number(free)];
  const gpu = { index: Number(index), uuid, name, memoryBytes, freeBytes };
  return capability === undefined || capability.startsWith('[')
    ? gpu
    : { ...gpu, capability: Number(capability) };
}

/**
 * The GPU that a run may get: CUDA counts the visible ones by speed and `nvidia-smi` by place, so that of several it is
 * the smallest that is assumed. `visible` is `CUDA_VISIBLE_DEVICES`, whose list ends at the first wrong name.
 */
export const usedGpu = (gpus: readonly Gpu[], visible: string | undefined): Gpu | undefined =>
  smallest(visibleGpus(gpus, visible));

/** Those that programs may use. */
export function visibleGpus(gpus: readonly Gpu[], visible: string | undefined): readonly Gpu[] {
  if (visible === undefined) return gpus;
  const named: Gpu[] = [];
  for (const word of visible.split(',').map((one) => one.trim())) {
    const gpu = gpus.find(
      ({ index, uuid }) => String(index) === word || (word.length > 4 && uuid.startsWith(word)),
    );
    if (gpu === undefined) break;
    named.push(gpu);
  }
  return named;
}

const smallest = (gpus: readonly Gpu[]): Gpu | undefined =>
  gpus.toSorted((a, b) => a.memoryBytes - b.memoryBytes)[0];
