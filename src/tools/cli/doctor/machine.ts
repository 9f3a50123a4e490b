import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { bytes } from '../../../pipeline/planner/quantities.js';
import { type Check, firstLine } from './finding.js';

const OLDEST: readonly [number, number] = [20, 19];
/** Checkpoints and merged weights of the smallest real models already need this much. Bytes. */
const LITTLE_DISK = 2 * 2 ** 30;
const LITTLE_MEMORY = 2 * 2 ** 30;

export const node: Check = async () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const old = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  return {
    name: 'node',
    state: old ? 'failed' : 'ok',
    detail: process.versions.node,
    help: old ? `install Node ${OLDEST.join('.')} or newer` : undefined,
  };
};

export const cores: Check = async (host) => {
  const { cores: count, cpu } = host.machine();
  return { name: 'cores', state: 'ok', detail: `${count} (${cpu})` };
};

export const memory: Check = async (host) => {
  const { memoryBytes } = host.machine();
  return {
    name: 'memory',
    state: memoryBytes < LITTLE_MEMORY ? 'warning' : 'ok',
    detail: `${bytes(memoryBytes)} for this process`,
    help: memoryBytes < LITTLE_MEMORY ? 'the planner will choose small shapes; see `ftpc plan`' : undefined,
  };
};

export const disk: Check = async (host) => {
  const stat = statfsSync(host.cwd);
  const free = stat.bavail * stat.bsize;
  return {
    name: 'disk',
    state: free < LITTLE_DISK ? 'warning' : 'ok',
    detail: `${bytes(free)} free in ${host.cwd}`,
    help: free < LITTLE_DISK ? 'free some space: `ftpc plan` says what a run will write' : undefined,
  };
};

export const writing: Check = async (host) => {
  const root = join(host.cwd, '.ftp');
  const folder = existsSync(root) ? root : host.cwd;
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return { name: 'write access', state: 'ok', detail: folder };
  } catch (error) {
    return {
      name: 'write access',
      state: 'failed',
      detail: firstLine(error),
      help: 'run in a folder of your own',
    };
  }
};
