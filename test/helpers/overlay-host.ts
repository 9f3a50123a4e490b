import { resolve } from 'node:path';
import { type Host, HostError } from '../../src/source/host.js';
import { nodeHost } from '../../src/source/node-host.js';

/** The real machine with some files laid over it; paths start from `cwd`. */
export function overlayHost(cwd: string, files: Readonly<Record<string, string>>): Host {
  const real = nodeHost(cwd);
  const laid = new Map(Object.entries(files).map(([path, text]) => [resolve(cwd, path), text]));
  return {
    ...real,
    readText: (path) => laid.get(path) ?? real.readText(path),
    readBytes(path, start = 0, length) {
      const text = laid.get(path);
      if (text === undefined) return real.readBytes(path, start, length);
      return new TextEncoder().encode(text).slice(start, length === undefined ? undefined : start + length);
    },
    stat(path) {
      const text = laid.get(path);
      if (text === undefined) return real.stat(path);
      return { size: Buffer.byteLength(text), isFolder: false, modified: 0 };
    },
  };
}

/** A host on which nothing can be read. */
export function failingHost(cwd: string): Host {
  const fail = (path: string): never => {
    throw new HostError('no_access', path, 'permission denied');
  };
  return { ...nodeHost(cwd), readText: fail, readBytes: fail };
}
