/** Whether an installation is as it was: a library that was cut short ends the process that loads it, without a word. */
import { join } from 'node:path';
import type { Host } from '../../source/host.js';

/** What an installation is, in its folder: written last, and does not count itself. */
export const MANIFEST = 'manifest.json';

/** Folders in one another, more than any installation has: a link may lead back. */
const DEEPEST = 16;

function bytesBelow(host: Host, folder: string, depth = 0): number {
  if (depth > DEEPEST) return 0;
  return host.list(folder).reduce((sum, name) => {
    const path = join(folder, name);
    const stat = host.stat(path);
    if (stat === undefined || (depth === 0 && name === MANIFEST)) return sum;
    return sum + (stat.isFolder ? bytesBelow(host, path, depth + 1) : stat.size);
  }, 0);
}

/** What is wrong with an installation that had so many bytes; nothing where it has them, or a driver has added to it. */
export function damageOf(host: Host, folder: string, bytes: number): string | undefined {
  const found = bytesBelow(host, folder);
  return found < bytes
    ? `its files have ${found} bytes of the ${bytes} that were installed: one is cut short, or gone`
    : undefined;
}
