import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { packageVersion } from '../../../language/host/version.js';
import { type Check, firstLine } from './finding.js';

/** Loads a library and uses it once: native code that does not fit the system fails only then. */
const library =
  (name: string, pack: string, use: () => Promise<void>): Check =>
  async (host) => {
    const version = packageVersion(host, pack);
    if (version === undefined)
      return { name, state: 'failed', detail: 'not installed', help: 'run `npm ci` in the folder of ftpc' };
    try {
      await use();
      return { name, state: 'ok', detail: version };
    } catch (error) {
      return {
        name,
        state: 'failed',
        detail: `${version} does not load: ${firstLine(error)}`,
        help: 'reinstall with `npm ci` on this machine: the package differs between systems',
      };
    }
  };

export const tokenizers = library('tokenizers', 'tokenizers', async () => {
  await import('tokenizers');
});

export const starter: Check = async (host) => {
  const folder = `${host.packageFolder}/stdlib/models/starter`;
  const found = host.stat(`${folder}/config.json`) !== undefined;
  return {
    name: 'starter model',
    state: found ? 'ok' : 'warning',
    detail: found ? folder : `missing: ${folder}`,
    help: found ? undefined : '`starter()` will not be found; reinstall ftpc, or name another base',
  };
};

const TIMEOUT = 5_000;

/** The first line that a program prints; `undefined` if it is not there or does not answer. */
async function answer(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, [...args], { timeout: TIMEOUT });
    const line = stdout.split('\n')[0]?.trim();
    return line === '' ? undefined : line;
  } catch {
    return undefined;
  }
}

/** Nothing here needs it, but people ask for it. */
export const python: Check = async () => {
  const found = await answer('python3', ['--version']);
  return { name: 'python', state: 'note', detail: found ?? 'none found; nothing here needs it' };
};
