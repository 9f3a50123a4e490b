import { closeSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { worked } from '../../language/host/long-work.js';
import { FileSealer, type SealedFile } from '../../language/host/sealed-file.js';

/** Bytes: larger ones are no quicker. */
const WINDOW = 1 << 18;

/** What no file is read through just now: nobody collects what a thread leaves that seals checkpoints and does nothing else. */
let idle: Buffer | undefined;

/** What is kept of a file. */
export function sealFile(path: string): SealedFile {
  const sealer = new FileSealer();
  readParts(path, (part) => sealer.add(part));
  return sealer.seal();
}

/** Hands a file over, through one window, which `take` must be done with when it returns. */
export function readParts(path: string, take: (part: Uint8Array) => void): void {
  const file = openSync(path, 'r');
  const window = idle ?? Buffer.allocUnsafe(WINDOW);
  idle = undefined;
  try {
    for (;;) {
      const read = readSync(file, window, 0, WINDOW, null);
      if (read === 0) return;
      take(window.subarray(0, read));
      worked(read);
    }
  } finally {
    idle = window;
    closeSync(file);
  }
}

/** Names of the files below a folder with `/` between folders, sorted by code unit. */
export function filesBelow(folder: string): readonly string[] {
  const walk = (path: string, prefix: string): string[] =>
    readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory()
        ? walk(join(path, entry.name), `${prefix}${entry.name}/`)
        : [`${prefix}${entry.name}`],
    );
  return walk(folder, '').sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Bytes of a file, or of all files below a folder; links are not followed. */
export function sizeOf(path: string): number {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.size;
  try {
    return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
  } catch {
    return 0;
  }
}
