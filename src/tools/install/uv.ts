/** uv makes Python environments, and installs wheels into them: its program, from its own wheel. */
import { chmodSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { fetchedOther } from '../../language/diagnostics/catalogue/runtimes.js';
import { UserError } from '../../language/diagnostics/types.js';
import { childEnvironment } from '../../language/host/child-environment.js';
import type { Host } from '../../language/host/host.js';
import { makeFolders } from '../../language/host/node-folders.js';
import { fetchWheel } from './fetch-wheels.js';
import type { LockedWheel } from './python-lock.js';
import { unzip, withZip, ZipError } from './zip.js';

const VERSION = '0.13.9';

const wheel = (system: string, bytes: number, sha256: string): LockedWheel => ({
  project: 'uv',
  version: VERSION,
  name: `uv-${VERSION}-py3-none-${system}.whl`,
  bytes,
  sha256,
});

/** By Node's names of the system and the processor. */
export const UV_WHEELS: Readonly<Record<string, LockedWheel>> = {
  'linux-x64': wheel(
    'manylinux_2_17_x86_64.manylinux2014_x86_64',
    17606939,
    'd7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19',
  ),
  'linux-arm64': wheel(
    'manylinux_2_28_aarch64',
    16864124,
    'ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375',
  ),
  'darwin-arm64': wheel(
    'macosx_11_0_arm64',
    14660755,
    '66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63',
  ),
};

/** Systems that there is a lock for. */
export const UV_SYSTEMS = Object.keys(UV_WHEELS);

/** The program in `folder`, fetched into `downloads`. Throws a `UserError`, or the signal's reason. */
export async function fetchUv(
  host: Host,
  system: string,
  folders: { readonly downloads: string; readonly folder: string },
  signal: AbortSignal,
): Promise<string> {
  const wanted = UV_WHEELS[system];
  if (wanted === undefined) throw new Error(`there is no uv for ${system}`);
  const path = await fetchWheel(host, wanted, folders.downloads, signal);
  const program = join(folders.folder, 'uv');
  try {
    await withZip(path, async (zip, files) => {
      const entry = files.find(({ fileName }) => /^uv-[^/]+\.data\/scripts\/uv$/.test(fileName));
      if (entry === undefined) throw new ZipError('it has no program');
      makeFolders(folders.folder);
      await unzip(zip, entry, folders.folder, signal);
      renameSync(join(folders.folder, entry.fileName), program);
    });
  } catch (error) {
    throw error instanceof ZipError ? new UserError(fetchedOther(wanted.name, error.message)) : error;
  }
  chmodSync(program, 0o755);
  return program;
}

interface UvResult {
  readonly isDone: boolean;
  readonly stdout: string;
  /** The last lines that it wrote for people. */
  readonly said: readonly string[];
}

const LINES = 8;

/** Runs uv without the settings of whoever uses it. Throws only the signal's reason. */
export async function runUv(
  program: string,
  words: readonly string[],
  { cwd, signal, env = {} }: { cwd: string; signal: AbortSignal; env?: Readonly<Record<string, string>> },
): Promise<UvResult> {
  const own = { UV_NO_CONFIG: '1', UV_NO_PROGRESS: '1', UV_PYTHON_INSTALL_BIN: '0', NO_COLOR: '1', ...env };
  const result = await execa(program, [...words], {
    cwd,
    env: {
      ...childEnvironment(own, (name) => name.startsWith('PYENV_') || name === 'UV_PYTHON_INSTALL_MIRROR'),
    },
    extendEnv: false,
    cancelSignal: signal,
    stdin: 'ignore',
    reject: false,
  });
  if (signal.aborted) throw signal.reason;
  const said = (result.stderr ?? '').split('\n').filter((line) => line.trim() !== '');
  return {
    isDone: !result.failed,
    stdout: result.stdout ?? '',
    said:
      said.length === 0 && result.failed
        ? [result.shortMessage ?? `${program} does not run`]
        : said.slice(-LINES),
  };
}
