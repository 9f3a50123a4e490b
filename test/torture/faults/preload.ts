/**
 * Loaded before ftpc (`node --import`) in each of its processes and threads: numbers every call of `node:fs` that changes
 * a file below the root of the plan, and kills or fails at the one that the plan names. Nothing of ftpc knows of it.
 */
import childProcess from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { jumpingClock } from './clock.js';
import { type FaultPlan, type MarkedCall, PLAN, PROCESS, RUN } from './plan.js';

type Anything = (...args: readonly unknown[]) => unknown;

const text = process.env[PLAN];
if (text !== undefined) {
  const plan = JSON.parse(text) as FaultPlan;
  patchFiles(plan);
  patchFork();
  if (plan.clock !== undefined) jumpingClock(plan.clock);
  syncBuiltinESMExports();
}

function patchFiles(plan: FaultPlan): void {
  const { appendFileSync, existsSync, writeFileSync, writeSync } = fs;
  const name = (process.env[PROCESS] ?? RUN) + (isMainThread ? '' : '.thread');
  const paths = new Map<number, string>();
  let number = 0;
  /** Within a call: what it calls itself is a part of it. */
  let inside = false;

  const under = (path: unknown): string | undefined => {
    const absolute =
      typeof path === 'number' ? paths.get(path) : path instanceof URL ? fileURLToPath(path) : path;
    if (typeof absolute !== 'string') return undefined;
    return absolute === plan.root || absolute.startsWith(plan.root + sep)
      ? relative(plan.root, absolute)
      : undefined;
  };

  const half = (call: MarkedCall, args: readonly unknown[]): void => {
    const bytes = bytesOf(args[1], args[2], args[3]);
    if (bytes === undefined) return;
    const torn = bytes.subarray(0, bytes.byteLength >> 1);
    if (call.name === 'writeSync') writeSync(args[0] as number, torn);
    else if (call.name === 'appendFileSync') appendFileSync(args[0] as string, torn);
    else if (call.name === 'writeFileSync') writeFileSync(args[0] as string, torn);
  };

  const suffer = (call: MarkedCall, args: readonly unknown[]): void => {
    if (plan.log !== undefined) appendFileSync(plan.log, `${JSON.stringify(call)}\n`);
    const { at, kill, error, hit } = plan;
    const isHere = at?.process === name && at.number === number;
    if (isHere && hit !== undefined) writeFileSync(hit, '');
    if (isHere && kill !== undefined) {
      if (kill === 'torn') half(call, args);
      end(kill, name);
    }
    if (error === undefined) return;
    if (error === 'EIO') {
      if (isHere) throw refusal(call, 'EIO', 'i/o error', 5);
      return;
    }
    if (hit === undefined || !TAKES_SPACE.has(call.name) || !existsSync(hit)) return;
    half(call, args);
    throw refusal(call, 'ENOSPC', 'no space left on device', 28);
  };

  const patch = (method: string, changes: (args: readonly unknown[]) => unknown): void => {
    const real = Reflect.get(fs, method) as Anything;
    const patched = (...args: readonly unknown[]): unknown => {
      const path = inside ? undefined : under(changes(args));
      if (path === undefined) return real(...args);
      inside = true;
      try {
        number++;
        suffer({ process: name, number, name: method, path }, args);
        return real(...args);
      } finally {
        inside = false;
      }
    };
    Object.assign(fs, { [method]: Object.assign(patched, real) });
  };

  const open = fs.openSync;
  const first = ([path]: readonly unknown[]) => path;
  const second = ([, path]: readonly unknown[]) => path;
  const existing = ([path]: readonly unknown[]) => (existsSync(String(path)) ? path : undefined);
  const absent = ([path]: readonly unknown[]) => (existsSync(String(path)) ? undefined : path);
  const written = ([path, flags]: readonly unknown[]) =>
    /[wa]/.test(String(flags ?? 'r')) ? path : undefined;
  patch('openSync', written);
  const patchedOpen = fs.openSync;
  Object.assign(fs, {
    openSync: (...args: Parameters<typeof open>) => {
      const file = patchedOpen(...args);
      if (typeof args[0] === 'string') paths.set(file, args[0]);
      return file;
    },
  });
  const close = fs.closeSync;
  Object.assign(fs, {
    closeSync: (file: number) => {
      paths.delete(file);
      close(file);
    },
  });
  for (const method of [
    'writeSync',
    'fsyncSync',
    'writeFileSync',
    'appendFileSync',
    'utimesSync',
    'truncateSync',
  ])
    patch(method, first);
  for (const method of ['renameSync', 'linkSync', 'symlinkSync', 'copyFileSync']) patch(method, second);
  for (const method of ['rmSync', 'unlinkSync', 'rmdirSync']) patch(method, existing);
  patch('mkdirSync', absent);
}

const TAKES_SPACE = new Set([
  'openSync',
  'writeSync',
  'writeFileSync',
  'appendFileSync',
  'linkSync',
  'symlinkSync',
  'copyFileSync',
  'mkdirSync',
]);

/** What is written, of `writeSync(file, bytes, offset, length)` or `writeFileSync(path, content)`. */
function bytesOf(content: unknown, offset: unknown, length: unknown): Uint8Array | undefined {
  if (typeof content === 'string') return Buffer.from(content);
  if (!ArrayBuffer.isView(content)) return undefined;
  const from = typeof offset === 'number' ? offset : 0;
  const count = typeof length === 'number' ? length : content.byteLength - from;
  return Buffer.from(content.buffer, content.byteOffset + from, count);
}

/** As Node itself makes them. */
const refusal = ({ name, path }: MarkedCall, code: string, what: string, errno: number): Error => {
  const syscall = name.replace(/(File)?Sync$/, '');
  return Object.assign(new Error(`${code}: ${what}, ${syscall} '${path}'`), {
    code,
    errno: -errno,
    syscall,
    path,
  });
};

function end(kill: NonNullable<FaultPlan['kill']>, name: string): void {
  const run = name.startsWith(RUN) ? process.pid : process.ppid;
  if (kill === 'all') process.kill(-run, 'SIGKILL');
  process.kill(kill === 'parent' ? run : process.pid, 'SIGKILL');
}

/** The processes of stages are numbered, and load this too, whatever is kept of the environment for them. */
function patchFork(): void {
  const { fork } = childProcess;
  const own = fileURLToPath(import.meta.url);
  let number = 0;
  Object.assign(childProcess, {
    fork: (path: string, args: readonly string[], options: childProcess.ForkOptions = {}) => {
      number++;
      const env = { ...options.env, [PLAN]: text, [PROCESS]: `stage-${number}` };
      const execArgv = [...(options.execArgv ?? []), '--import', own];
      return fork(path, args, { ...options, env, execArgv });
    },
  });
}
