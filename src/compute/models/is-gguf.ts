import type { Host } from '../../language/host/host.js';

/** Whether a path is a GGUF file, by what is there or, where nothing does, by its name. */
export const isGguf = (host: Host, path: string): boolean =>
  host.stat(path)?.isFolder === false || /\.gguf$/i.test(path);
