import { createHash } from 'node:crypto';
import type { Host } from '../../../language/host/host.js';
import type { FileDigest, FileDigests } from './types.js';

const WINDOW = 1 << 24;

/** SHA-256 of a file, read through a window of 16 MiB. */
export function digestFile(host: Host, path: string): FileDigest {
  const hash = createHash('sha256');
  let bytes = 0;
  for (;;) {
    const part = host.readBytes(path, bytes, WINDOW);
    hash.update(part);
    bytes += part.byteLength;
    if (part.byteLength < WINDOW) return { bytes, sha256: hash.digest('hex') };
  }
}

/** Names of all files below a folder, `/` between folders, sorted by code unit. */
export function filesBelow(host: Host, folder: string): readonly string[] {
  const walk = (prefix: string): readonly string[] =>
    host.list(`${folder}/${prefix}`).flatMap((name) => {
      const stat = host.stat(`${folder}/${prefix}${name}`);
      if (stat === undefined) return [];
      return stat.isFolder ? walk(`${prefix}${name}/`) : [`${prefix}${name}`];
    });
  return [...walk('')].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

export function digestFiles(host: Host, folder: string, names: readonly string[]): FileDigests {
  return Object.fromEntries(names.map((name) => [name, digestFile(host, `${folder}/${name}`)]));
}

/** One digest of many files: of their names, sizes and digests. */
export function combinedDigest(files: FileDigests): string {
  const lines = Object.entries(files)
    .map(([name, { bytes, sha256 }]) => `${sha256} ${bytes} ${name}\n`)
    .sort();
  return createHash('sha256').update(lines.join('')).digest('hex');
}

export function textDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
