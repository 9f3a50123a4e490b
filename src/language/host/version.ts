import { join } from 'node:path';
import type { Host } from './host.js';
import { PACKAGE, tryJsonFile } from './json.js';

const versionIn = (host: Host, file: string): string | undefined => tryJsonFile(PACKAGE, host, file)?.version;

export const ftpcVersion = (host: Host): string =>
  versionIn(host, join(host.packageFolder, 'package.json')) ?? 'unknown';
