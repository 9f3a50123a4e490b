import { join } from 'node:path';
import type { ModelFolder } from '../../compute/models/load.js';
import { openModelAt, untrained, WEIGHT_FILE } from '../../compute/models/open.js';
import { withEstimatedText } from '../../compute/models/shapes/estimated-text.js';
import type { Host } from '../../language/host/host.js';
import { wantedOf } from './hub-repositories.js';
import type { ModelPath, ResolvedModel } from './resolve-models.js';

/** Opens a model of any kind; fresh weights are made where they would be read. Throws a `ModelError`. */
export function openResolved(host: Host, { folder, seed, isShape }: ResolvedModel): ModelFolder {
  const found = openModelAt(host, folder);
  const model = isShape ? withEstimatedText(host, found) : found;
  return seed === undefined ? model : untrained(model, seed);
}

/**
 * The files that decide what a model does, sorted by name, or those that decide how it cuts texts and renders chats:
 * what digests are made of. Fresh weights have none; their seed stands for them. A GGUF file can't be taken apart.
 */
export function modelFiles(
  host: Host,
  resolved: ResolvedModel,
  content: 'all' | 'tokenizer' = 'all',
): readonly ModelPath[] {
  const inFolder = host.stat(resolved.folder)?.isFolder === true;
  const files = openResolved(host, resolved).files();
  const isWanted =
    resolved.commit === undefined
      ? () => true
      : wantedOf(
          files.map(({ name }) => name),
          (name) => host.readText(join(resolved.folder, name)),
        );
  return files
    .filter(({ name }) => isWanted(name))
    .filter(({ name }) => content === 'all' || !WEIGHT_FILE.test(name))
    .map(({ name, bytes }) => ({
      name,
      path: inFolder ? join(resolved.folder, name) : resolved.folder,
      bytes,
    }));
}
