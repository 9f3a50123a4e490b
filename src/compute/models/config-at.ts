import type { Host } from '../../language/host/host.js';
import { readConfig } from './config/index.js';
import { ggufModel } from './gguf/config.js';
import { readGgufHeader } from './gguf/header.js';
import type { ModelConfig } from './types.js';

/**
 * The GGUF file at a path: the file itself, or the only one of a folder that is no model in Hugging Face layout. `undefined`
 * if there is none. Where nothing is, the name tells.
 */
export function ggufAt(host: Host, path: string): string | undefined {
  const stat = host.stat(path);
  if (stat?.isFolder === false || /\.gguf$/i.test(path)) return path;
  if (stat === undefined || host.stat(`${path}/config.json`) !== undefined) return undefined;
  const [file, ...others] = host.list(path).filter((name) => /\.gguf$/i.test(name));
  return file === undefined || others.length > 0 ? undefined : `${path}/${file}`;
}

export const isGguf = (host: Host, path: string): boolean => ggufAt(host, path) !== undefined;

/** The text of a model's own `config.json`; empty where there is none, as next to a GGUF file. */
export function configTextAt(host: Host, path: string): string {
  const file = `${path}/config.json`;
  return host.stat(file) === undefined ? '' : host.readText(file);
}

/** The config of what is at a path, and nothing else of it: all that `ftpc check` needs. Throws a `ModelError`. */
export function configAt(host: Host, path: string): ModelConfig {
  const gguf = ggufAt(host, path);
  return gguf === undefined ? readConfig(host, path) : ggufModel(host, readGgufHeader(host, gguf)).config;
}
