import { relative, resolve } from 'node:path';
import type { Host } from '../../language/host/host.js';
import { replaceFile } from '../../pipeline/store/index.js';
import type { CliContext } from './cli-context.js';

/** Writes a file that was asked for, whole or not at all; its path from here. Throws a `UserError`. */
export function writeFile(host: Host, file: string, text: string): string {
  const path = resolve(host.cwd, file);
  replaceFile(path, text);
  return relative(host.cwd, path);
}

/** The same, and says so. */
export const writeOut = ({ host, err }: CliContext, file: string, text: string): void =>
  err(`wrote ${writeFile(host, file, text)}`);
