import { join } from 'node:path';
import { hasNewTokens, withNewTokens } from '../../compute/models/added-tokens.js';
import { type AnyModel, openAnyModel } from '../../compute/models/any-model.js';
import { configAt } from '../../compute/models/config-at.js';
import type { ModelFolder } from '../../compute/models/load.js';
import { openModelAt, untrained, WEIGHT_FILE } from '../../compute/models/open.js';
import { withEstimatedText } from '../../compute/models/shapes/estimated-text.js';
import type { ModelConfig } from '../../compute/models/types.js';
import type { Host } from '../../language/host/host.js';
import { wantedOf } from './hub-repositories.js';
import type { ModelPath, ResolvedModel } from './resolve-models.js';

/** Opens a model of any kind; fresh weights are made where they would be read. Throws a `ModelError`. */
export function openResolved(
  host: Host,
  { folder, seed, isShape, ...added }: Omit<ResolvedModel, 'label'>,
): ModelFolder {
  const found = openModelAt(host, folder);
  const model = isShape ? withEstimatedText(host, found) : found;
  // of a shape alone, some rows more or less are within what is estimated
  const tokens = isShape && model.tokenizerJson === undefined ? {} : added;
  return withNewTokens(seed === undefined ? model : untrained(model, seed), tokens);
}

/** The same, of any architecture where there are no further tokens. Throws a `ModelError`. */
export function openAnyResolved(host: Host, model: ResolvedModel): AnyModel {
  if (!hasNewTokens(model)) return openAnyModel(host, model.folder);
  const known = openResolved(host, model);
  return { ...known, facts: known.config, known };
}

/** The config, and as little else of the model as that takes. Throws a `ModelError`. */
export const resolvedConfig = (host: Host, model: ResolvedModel): ModelConfig =>
  hasNewTokens(model) ? openResolved(host, model).config : configAt(host, model.folder);

/** Whether a base is not what its folder has: another program finds it where it was written. */
export const isMade = (model: ResolvedModel): boolean => model.seed !== undefined || hasNewTokens(model);

/** What a base is besides its folder: where two models have the same, they are one. */
export const modelIdentity = ({ folder, seed, specialTokens, plainTokens }: ResolvedModel): string =>
  JSON.stringify([folder, seed ?? null, specialTokens ?? [], plainTokens ?? []]);

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
