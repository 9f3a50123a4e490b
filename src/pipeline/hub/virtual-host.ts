/** A Host on which files of a hub that are not here yet can be planned with: their sizes, and how they begin. */
import { basename, dirname } from 'node:path';
import { type Host, HostError } from '../../language/host/host.js';

export interface VirtualFile {
  readonly bytes: number;
  readonly head: Uint8Array;
}

export function withVirtualFiles(host: Host, files: ReadonlyMap<string, VirtualFile>): Host {
  if (files.size === 0) return host;
  const absent = (path: string): HostError =>
    new HostError('not_found', path, 'the file has not been fetched yet');
  return {
    ...host,
    stat(path) {
      const file = files.get(path);
      return file === undefined ? host.stat(path) : { size: file.bytes, isFolder: false, modified: 0 };
    },
    readText(path) {
      if (files.has(path)) throw absent(path);
      return host.readText(path);
    },
    readBytes(path, start = 0, length) {
      const file = files.get(path);
      if (file === undefined) return host.readBytes(path, start, length);
      const end = Math.min(file.bytes, length === undefined ? file.bytes : start + length);
      if (end > file.head.length) throw absent(path);
      return file.head.slice(start, end);
    },
    list(folder) {
      const names = [...files.keys()]
        .filter((path) => dirname(path) === folder)
        .map((path) => basename(path));
      return names.length === 0 ? host.list(folder) : [...new Set([...host.list(folder), ...names])].sort();
    },
  };
}
