/** The Python that an environment is made with: the one that is named, or one of the system, or one that uv downloads. */
import { join } from 'node:path';
import { askPython } from '../../compute/accelerate/ask-python.js';
import { ORIGINS, pythonNamed } from '../../compute/accelerate/environment.js';
import { PYTHON_MINORS } from '../../compute/accelerate/packages.js';
import { runtimesFolder } from '../../compute/tensor/runtimes/tensorflow/installed.js';
import { noPythonToInstall } from '../../language/diagnostics/catalogue/environment.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { InstallStep } from './staging.js';
import { runUv } from './uv.js';

export interface BasePython {
  readonly python: string;
  /** `3.12.4` */
  readonly version: string;
  /** Its second number. */
  readonly minor: number;
}

interface SearchOptions {
  readonly uv: string;
  readonly staging: string;
  /** What `--python` names. */
  readonly python?: string;
  readonly signal: AbortSignal;
  readonly progress: (step: InstallStep) => void;
}

/** What uv has downloaded, next to the environments. */
export const PYTHONS_FOLDER = 'pythons';

const FIRST = Math.min(...PYTHON_MINORS);
const LAST = Math.max(...PYTHON_MINORS);
const WANTED = `3.${FIRST} to 3.${LAST}`;
/** What is downloaded where the system has none. */
const DOWNLOADED = '3.12';

/** Throws a `UserError`, or the signal's reason. */
export async function basePython(host: Host, options: SearchOptions): Promise<BasePython> {
  if (options.python !== undefined) return named(host, options.python);
  const found = (await find(host, options)) ?? (await download(host, options));
  const base = baseOf(host, found);
  if (base === undefined) throw new UserError(noPythonToInstall(WANTED));
  return base;
}

function baseOf(host: Host, python: string): BasePython | undefined {
  const { version } = askPython(host, python, 'this machine', '');
  const minor = Number(/^3\.(\d+)\./.exec(version)?.[1]);
  return minor >= FIRST && minor <= LAST ? { python, version, minor } : undefined;
}

function named(host: Host, asked: string): BasePython {
  const { python } = pythonNamed(host, 'option', asked);
  const base = baseOf(host, python);
  if (base !== undefined) return base;
  const { version } = askPython(host, python, ORIGINS.option, '');
  throw new UserError(noPythonToInstall(WANTED, { by: ORIGINS.option, python, version }));
}

const variables = (host: Host, staging: string) => ({
  UV_CACHE_DIR: join(staging, 'cache'),
  UV_PYTHON_INSTALL_DIR: join(runtimesFolder(host), PYTHONS_FOLDER),
});

/** A program of the system, or one that was downloaded before. */
async function find(host: Host, { uv, staging, signal }: SearchOptions): Promise<string | undefined> {
  const words = ['python', 'find', `>=3.${FIRST},<3.${LAST + 1}`, '--system', '--no-project'];
  const env = { ...variables(host, staging), UV_PYTHON_DOWNLOADS: 'never', UV_PYTHON_PREFERENCE: 'system' };
  const { isDone, stdout } = await runUv(uv, words, { cwd: staging, signal, env });
  return isDone ? stdout.trim() : undefined;
}

async function download(host: Host, options: SearchOptions): Promise<string> {
  const { uv, staging, signal, progress } = options;
  progress({ what: `fetching Python ${DOWNLOADED}` });
  const words = ['python', 'install', DOWNLOADED];
  const { said } = await runUv(uv, words, { cwd: staging, signal, env: variables(host, staging) });
  const found = await find(host, options);
  if (found === undefined) throw new UserError(noPythonToInstall(WANTED, undefined, said));
  return found;
}
