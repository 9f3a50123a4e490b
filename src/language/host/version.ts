import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Host } from './host.js';
import { PACKAGE, tryJsonFile } from './json.js';

const versionIn = (host: Host, file: string): string | undefined => tryJsonFile(PACKAGE, host, file)?.version;

export const ftpcVersion = (host: Host): string =>
  versionIn(host, join(host.packageFolder, 'package.json')) ?? 'unknown';

/** The version of an installed package, without loading it; `undefined` if it is not installed. */
export function packageVersion(host: Host, name: string): string | undefined {
  const require = createRequire(join(host.packageFolder, 'package.json'));
  for (const folder of require.resolve.paths(name) ?? []) {
    const file = join(folder, name, 'package.json');
    if (host.stat(file) !== undefined) return versionIn(host, file);
  }
  return undefined;
}
