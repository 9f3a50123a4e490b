import type { Host } from '../../language/host/host.js';
import { ggufAt } from './config-at.js';
import { openGguf } from './gguf/open.js';
import { freshSource } from './initialise.js';
import { type ModelFolder, openModel, weightAccess } from './load.js';

/** Opens what is at a path: a GGUF file, or a folder in Hugging Face layout. Throws a `ModelError`. */
export function openModelAt(host: Host, path: string): ModelFolder {
  const gguf = ggufAt(host, path);
  return gguf === undefined ? openModel(host, path) : openGguf(host, gguf);
}

export const WEIGHT_FILE = /\.safetensors(?:\.index\.json)?$/;

/** A model of the same shape, with the same tokenizer, and fresh random weights that are made as they are read. */
export const untrained = (model: ModelFolder, seed: number): ModelFolder => ({
  ...model,
  ...weightAccess('fresh weights', model.config, () => freshSource(model.config, seed)),
  files: () => model.files().filter(({ name }) => !WEIGHT_FILE.test(name)),
});
