/** How a command is typed where this one was. */
import { delimiter, join } from 'node:path';
import type { Host } from '../../../language/host/host.js';

/** `npx ftpc` if npm started this process or no `ftpc` is on the PATH, else `ftpc`. */
export function ftpcWord(host: Pick<Host, 'env' | 'stat'>): string {
  const byNpm = ['npm_command', 'npm_execpath'].some((name) => (host.env(name) ?? '') !== '');
  return !byNpm && isOnPath(host) ? 'ftpc' : 'npx ftpc';
}

function isOnPath({ env, stat }: Pick<Host, 'env' | 'stat'>): boolean {
  const folders = (env('PATH') ?? env('Path') ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.some((folder) =>
    ['ftpc', 'ftpc.cmd'].some((name) => stat(join(folder, name))?.isFolder === false),
  );
}
