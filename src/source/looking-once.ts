import type { FileStat, Host } from './host.js';

/** Looks at each name once: a program may name a file in every stage, and sees one state of the disk. */
export function lookingOnce(host: Host): Host {
  const stats = new Map<string, FileStat | undefined>();
  const globs = new Map<string, readonly string[]>();
  return {
    ...host,
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
