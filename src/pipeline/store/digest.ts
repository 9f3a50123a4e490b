import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';

export interface FileDigest {
  readonly bytes: number;
  readonly sha256: string;
}

const WINDOW = 1 << 22;

/** SHA-256 of a file. */
export function digestFile(path: string): FileDigest {
  const hash = createHash('sha256');
  const bytes = readInto(hash, path);
  return { bytes, sha256: hash.digest('hex') };
}

/** Adds a file, read through a window of 4 MiB; gives its bytes. */
export function readInto(hash: Hash, path: string): number {
  const file = openSync(path, 'r');
  try {
    const window = Buffer.allocUnsafe(WINDOW);
    let bytes = 0;
    for (;;) {
      const read = readSync(file, window, 0, WINDOW, null);
      if (read === 0) return bytes;
      hash.update(window.subarray(0, read));
      bytes += read;
    }
  } finally {
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

export const digestsBelow = (folder: string): Readonly<Record<string, FileDigest>> =>
  Object.fromEntries(filesBelow(folder).map((name) => [name, digestFile(join(folder, name))]));

/**
 * The first thing that is wrong with files that should be as `expected`; `undefined` when they are. `isRead`: of which files
 * the content is looked at.
 */
export function firstDamage<F extends FileDigest>(
  folder: string,
  expected: Readonly<Record<string, F>>,
  isRead: (file: F, stat: Stats) => boolean = () => true,
): string | undefined {
  for (const [name, file] of Object.entries(expected)) {
    const path = join(folder, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile()) return `\`${name}\` is missing`;
    if (stat.size !== file.bytes) return `\`${name}\` has ${stat.size} bytes instead of ${file.bytes}`;
    if (isRead(file, stat) && digestFile(path).sha256 !== file.sha256)
      return `\`${name}\` does not have the content that was written`;
  }
  return undefined;
}
