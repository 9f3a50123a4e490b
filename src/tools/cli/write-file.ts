import { relative, resolve } from 'node:path';
import type { Host } from '../../language/host/host.js';
import { replaceFile } from '../../pipeline/store/index.js';

/** Writes a file that was asked for, whole or not at all; its path from here. Throws a `UserError`. */
export function writeFile(host: Host, file: string, text: string): string {
  const path = resolve(host.cwd, file);
  replaceFile(path, text);
  return relative(host.cwd, path);
}
