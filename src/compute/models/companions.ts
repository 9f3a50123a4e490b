import type { Host } from '../../language/host/host.js';
import type { Json } from '../../language/host/json.js';
import { oneOrMore } from './architectures/families/write.js';
import { FAMILIES } from './architectures/index.js';
import type { LoadedTemplate } from './chat-template/index.js';
import type { ModelConfig } from './types.js';

/** A file that is next to config and weights in a Hugging Face folder. */
export interface Companion {
  readonly name: string;
  read(): string | Uint8Array;
}

/** Whoever loads a model made from this one must cut texts, render chats and end answers as before, under the same licence. */
export const COMPANION =
  /^(?:tokenizer\.json|tokenizer_config\.json|tokenizer\.model|special_tokens_map\.json|added_tokens\.json|vocab\.json|merges\.txt|chat_template\.jinja|chat_template\.json|generation_config\.json|LICEN[CS]E.*|NOTICE.*|USE_POLICY.*)$/i;

/** The companions of a folder, byte for byte. */
export function folderCompanions(host: Host, folder: string): readonly Companion[] {
  return host
    .list(folder)
    .filter((name) => COMPANION.test(name) && host.stat(`${folder}/${name}`)?.isFolder === false)
    .map((name) => ({ name, read: () => host.readBytes(`${folder}/${name}`) }));
}

interface CompanionParts {
  readonly config: ModelConfig;
  /** Made when it is asked for: it is by far the largest. */
  readonly tokenizer: () => Json;
  readonly tokenizerConfig: Json;
  readonly template: LoadedTemplate | undefined;
}

/** The companions that transformers would find next to a model that is in one file. */
export function writtenCompanions(parts: CompanionParts): readonly Companion[] {
  const { config, template } = parts;
  const generation = {
    ...(config.bosTokenId === null ? {} : { bos_token_id: config.bosTokenId }),
    ...(config.eosTokenIds.length === 0 ? {} : { eos_token_id: oneOrMore(config.eosTokenIds) }),
    ...(config.padTokenId === null ? {} : { pad_token_id: config.padTokenId }),
  };
  return [
    ...(template === undefined ? [] : [{ name: 'chat_template.jinja', read: () => template.source }]),
    { name: 'generation_config.json', read: () => text(generation) },
    { name: 'tokenizer.json', read: () => text(parts.tokenizer()) },
    { name: 'tokenizer_config.json', read: () => text(parts.tokenizerConfig) },
  ];
}

const text = (json: Json): string => `${JSON.stringify(json, null, 2)}\n`;

/** A `config.json` that says what the config says, in the form that transformers 4 and 5 read. */
export function configJsonOf(config: ModelConfig): Json {
  const family = FAMILIES[config.architecture];
  return {
    architectures: [family.className],
    model_type: family.modelType,
    ...family.write(config),
  };
}
