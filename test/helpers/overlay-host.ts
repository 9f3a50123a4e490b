import { resolve } from 'node:path';
import { type Host, HostError } from '../../src/language/host/host.js';
import { nodeHost } from '../../src/language/host/node-host.js';

/** The real machine with some files laid over it; paths start from `cwd`. */
export function overlayHost(
  cwd: string,
  files: Readonly<Record<string, string>>,
  real: Host = nodeHost(cwd),
): Host {
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

/** A host that looks at the disk once: for tests that compile a thousand times. */
export function remembering(host: Host): Host {
  const once = <A extends readonly unknown[], R>(look: (...args: A) => R): ((...args: A) => R) => {
    const known = new Map<string, { readonly found: R } | { readonly thrown: unknown }>();
    return (...args) => {
      const key = JSON.stringify(args);
      const before = known.get(key) ?? attempt(() => look(...args));
      known.set(key, before);
      if ('thrown' in before) throw before.thrown;
      return before.found;
    };
  };
  return {
    ...host,
    readText: once(host.readText),
    readBytes: once(host.readBytes),
    stat: once(host.stat),
    list: once(host.list),
    glob: once(host.glob),
  };
}

function attempt<R>(look: () => R): { readonly found: R } | { readonly thrown: unknown } {
  try {
    return { found: look() };
  } catch (thrown) {
    return { thrown };
  }
}

/** A host on which nothing can be read. */
export function failingHost(cwd: string): Host {
  const fail = (path: string): never => {
    throw new HostError('no_access', path, 'permission denied');
  };
  return { ...nodeHost(cwd), readText: fail, readBytes: fail };
}
