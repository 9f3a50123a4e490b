import type { FileStat, Host } from './host.js';

/** Looks at each name, and reads each file as a whole, once: a program may name a file in every stage, and sees one state of the disk. */
export function lookingOnce(host: Host): Host {
  const stats = new Map<string, FileStat | undefined>();
  const globs = new Map<string, readonly string[]>();
  const files = new Map<string, Uint8Array>();
  return {
    ...host,
    readBytes(path, start, length) {
      if (start !== undefined || length !== undefined) return host.readBytes(path, start, length);
      const found = files.get(path) ?? host.readBytes(path);
      files.set(path, found);
      return found;
    },
    stat(path) {
      if (!stats.has(path)) stats.set(path, host.stat(path));
      return stats.get(path);
    },
    glob(pattern, base) {
      const key = `${base}\n${pattern}`;
      const found = globs.get(key) ?? host.glob(pattern, base);
      globs.set(key, found);
      return found;
    },
  };
}
