import { type Host, HostError } from '../../../src/language/host/host.js';

export interface MemoryHost extends Host {
  /** Largest number of bytes that one `readBytes` has handed out. */
  largestRead(): number;
}

/** A Host over files in memory, by absolute path. */
export function memoryHost(files: Readonly<Record<string, string | Uint8Array>>): MemoryHost {
  const bytesOf = (path: string): Uint8Array => {
    const content = files[path];
    if (content === undefined) throw new HostError('not_found', path, 'no such file');
    return typeof content === 'string' ? new TextEncoder().encode(content) : content;
  };
  let largest = 0;
  return {
    cwd: '/',
    packageFolder: '/',
    readText: (path) => new TextDecoder().decode(bytesOf(path)),
    readBytes(path, start = 0, length) {
      const bytes = bytesOf(path);
      const part = bytes.slice(start, length === undefined ? undefined : start + length);
      largest = Math.max(largest, part.length);
      return part;
    },
    stat(path) {
      if (Object.hasOwn(files, path)) return { size: bytesOf(path).byteLength, isFolder: false, modified: 0 };
      const isFolder = Object.keys(files).some((file) => file.startsWith(`${path}/`));
      return isFolder ? { size: 0, isFolder, modified: 0 } : undefined;
    },
    list: (folder) =>
      Object.keys(files)
        .filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1))
        .sort(),
    glob: () => [],
    env: () => undefined,
    now: () => 0,
    clock: () => 0,
    othersTime: () => 0,
    machine: () => ({ name: 'memory', cores: 1, load: 0, memoryBytes: 2 ** 30, cpu: 'none' }),
    largestRead: () => largest,
  };
}
