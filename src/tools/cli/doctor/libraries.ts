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
