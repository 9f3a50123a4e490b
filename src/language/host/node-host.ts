/** The real world: the only Host of the command line and of a stage's process. */
import { constants } from 'node:buffer';
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { availableParallelism, cpus, hostname, loadavg, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FileStat, type Host, HostError, type HostErrorCode, type Machine } from './host.js';
import { filesMatching } from './node-glob.js';

import { shareableBytes } from './shareable.js';

/** Reads at most this much at a time: `readSync` takes no more than 2 GiB. */
const READ_WINDOW = 1 << 30;

export function nodeHost(cwd: string = process.cwd()): Host {
  return {
    cwd,
    packageFolder: packageFolder(),
    readText: (path) => guard(path, () => readWhole(path)),
    readBytes: (path, start = 0, length, room) => guard(path, () => readRange(path, start, length, room)),
    stat: (path) => statOrNothing(path),
    list: (folder) => guard(folder, () => readdirSync(folder).sort(byCodeUnit)),
    glob: (pattern, base) => [...filesMatching(pattern, base)].sort(byCodeUnit),
    env: (name) => process.env[name],
    now: () => Date.now(),
    clock: () => performance.now(),
    othersTime: () => othersTime(),
    machine: () => machine(),
  };
}

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/** A file that no string can hold is refused before it is read: three bytes of UTF-8 are one unit of a string at least. */
function readWhole(path: string): string {
  const { size } = requireFile(path);
  if (size > 3 * constants.MAX_STRING_LENGTH)
    throw Object.assign(new Error(`the file has ${size} bytes`), { code: 'ERR_STRING_TOO_LONG' });
  return readFileSync(path, 'utf8');
}

/** What a shell opens for a command, such as `/dev/stdin`, and what stands for nothing. */
const IS_OPEN = /^\/(?:dev\/(?:stdin|null)|(?:dev|proc\/self)\/fd\/\d+)$/;

/** A pipe may wait for ever, and a device has no end; what reads a folder says so itself. */
function requireFile(path: string): Stats {
  const stat = statSync(path);
  if (stat.isFile() || stat.isDirectory() || IS_OPEN.test(path)) return stat;
  throw Object.assign(new Error('it is a pipe or a device'), { code: NO_FILE });
}

function readRange(path: string, start: number, length: number | undefined, room?: Uint8Array): Uint8Array {
  requireFile(path);
  const file = openSync(path, 'r');
  try {
    const size = fstatSync(file).size;
    const end = length === undefined ? size : Math.min(size, start + length);
    const needed = Math.max(0, end - start);
    const bytes =
      room !== undefined && needed <= room.length ? room.subarray(0, needed) : shareableBytes(needed);
    let done = 0;
    while (done < bytes.length) {
      const read = readSync(file, bytes, done, Math.min(READ_WINDOW, bytes.length - done), start + done);
      if (read === 0) break;
      done += read;
    }
    return done === bytes.length ? bytes : bytes.subarray(0, done);
  } finally {
    closeSync(file);
  }
}

function statOrNothing(path: string): FileStat | undefined {
  const stat = guard(path, () => {
    try {
      return statSync(path, { throwIfNoEntry: false });
    } catch (error) {
      // a name below a file, or one that no file can have: nothing is there
      if (NOTHING_THERE.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      throw error;
    }
  });
  return stat === undefined
    ? undefined
    : {
        size: stat.size,
        isFolder: stat.isDirectory(),
        modified: stat.mtimeMs,
        changed: stat.ctimeMs,
        inode: stat.ino,
      };
}

const NOTHING_THERE: readonly string[] = ['ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'ERR_INVALID_ARG_VALUE'];

function machine(): Machine {
  return {
    name: hostname(),
    cores: availableParallelism(),
    load: loadavg()[0] ?? 0,
    memoryBytes: Math.min(totalmem(), containerLimit()),
    cpu: processorModel(),
  };
}

function othersTime(): number {
  const busy = cpus().reduce((sum, { times: { user, nice, sys } }) => sum + user + nice + sys, 0);
  const { user, system } = process.cpuUsage();
  return Math.max(0, busy - (user + system) / 1000);
}

let model: string | undefined;

/** The system is asked once: it tells of every core, which takes milliseconds, and a plan of many machines asks for each. */
function processorModel(): string {
  model ??= cpus()[0]?.model ?? 'unknown';
  return model;
}

/** The memory limit of the control group (version 2, then 1), or infinity. */
function containerLimit(): number {
  for (const path of ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes']) {
    try {
      const limit = Number(readFileSync(path, 'utf8').trim());
      if (Number.isFinite(limit) && limit > 0) return limit;
    } catch {
      // No such control group: the machine's own memory is the limit.
    }
  }
  return Number.POSITIVE_INFINITY;
}

const NO_FILE = 'FTPC_NO_FILE';

const CODES: Readonly<Record<string, HostErrorCode>> = {
  [NO_FILE]: 'no_file',
  ENOENT: 'not_found',
  ENOTDIR: 'not_found',
  EISDIR: 'is_folder',
  EACCES: 'no_access',
  EPERM: 'no_access',
  ERR_FS_FILE_TOO_LARGE: 'too_large',
  ERR_STRING_TOO_LONG: 'too_large',
  ENOMEM: 'no_memory',
  EMFILE: 'open_files',
  ENFILE: 'open_files',
};

function guard<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Out of memory, or a bug: nothing that the system says about the file.
    if (typeof code !== 'string') throw error;
    throw new HostError(CODES[code] ?? 'io', path, error instanceof Error ? error.message : String(error));
  }
}
