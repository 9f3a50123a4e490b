import type { Host } from '../../language/host/host.js';
import { readConfig } from './config/index.js';
import { ggufConfig } from './gguf/config.js';
import { readGgufHeader } from './gguf/header.js';
import { isGguf } from './is-gguf.js';
import type { ModelConfig } from './types.js';

/** The config of what is at a path, and nothing else of it: all that `ftpc check` needs. Throws a `ModelError`. */
export function configAt(host: Host, path: string): ModelConfig {
  return isGguf(host, path) ? ggufConfig(host, readGgufHeader(host, path)) : readConfig(host, path);
}
