import type { Host } from '../../language/host/host.js';
import { readConfig } from './config/index.js';
import { ggufConfig } from './gguf/config.js';
import { readGgufHeader } from './gguf/header.js';
import type { ModelConfig } from './types.js';

/** Whether a path is a GGUF file, by what is there or, where nothing does, by its name. */
export const isGguf = (host: Host, path: string): boolean =>
  host.stat(path)?.isFolder === false || /\.gguf$/i.test(path);

/** The config of what is at a path, and nothing else of it: all that `ftpc check` needs. Throws a `ModelError`. */
export const configAt = (host: Host, path: string): ModelConfig =>
  isGguf(host, path) ? ggufConfig(host, readGgufHeader(host, path)) : readConfig(host, path);
