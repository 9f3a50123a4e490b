/** Chat templates and special tokens of model folders. */
import type { Host } from '../../../language/host/host.js';
import { isJson, type Json } from '../../../language/host/json.js';
import { readJsonFile, readTextFile } from '../read-file.js';
import { ModelError } from '../types.js';
import { compileChatTemplate, type LoadedTemplate, type SpecialTokens } from './compile.js';

const MAX_BYTES = 5_000_000;
/** Where transformers keeps special tokens, and templates of before version 5. */
export const CONFIG = 'tokenizer_config.json';

/** Where transformers keeps a template next to a model or an adapter. */
export const CHAT_TEMPLATE = 'chat_template.jinja';

/** The template in a folder of an adapter, which has one if it was not trained with its base's. */
export const readStyle = (host: Host, folder: string): string | undefined =>
  host.stat(`${folder}/${CHAT_TEMPLATE}`) === undefined
    ? undefined
    : readTextFile(host, `${folder}/${CHAT_TEMPLATE}`, { code: 'model_template', maxBytes: MAX_BYTES });

/**
 * The chat template of a model folder: `chat_template.jinja` (transformers 5), or `chat_template` in
 * `tokenizer_config.json`, a text or a list of named ones of which `default` is taken. `undefined` if there is none.
 * Throws a {@link ModelError} `model_template`.
 */
export function readChatTemplate(host: Host, folder: string): LoadedTemplate | undefined {
  const configPath = `${folder}/${CONFIG}`;
  const config = readConfig(host, configPath);
  const special = readSpecialTokens(config);
  const own = readStyle(host, folder);
  if (own !== undefined) return compileChatTemplate(own, special, `${folder}/${CHAT_TEMPLATE}`);
  const source = defaultTemplate(config['chat_template'], configPath);
  return source === undefined ? undefined : compileChatTemplate(source, special, configPath);
}

/** The special tokens that a model folder names. Throws a {@link ModelError} `model_template`. */
export const readTokens = (host: Host, folder: string): SpecialTokens =>
  readSpecialTokens(readConfig(host, `${folder}/${CONFIG}`));

const readConfig = (host: Host, path: string): Json =>
  host.stat(path) === undefined
    ? {}
    : readJsonFile(host, path, { code: 'model_template', maxBytes: MAX_BYTES });

function defaultTemplate(value: unknown, path: string): string | undefined {
  if (value == null) return undefined;
  if (typeof value === 'string') return value;
  const named = Array.isArray(value) ? value.filter(isJson) : [];
  const found = named.find((entry) => entry['name'] === 'default')?.['template'];
  if (typeof found === 'string') return found;
  throw new ModelError(
    'model_template',
    path,
    '"chat_template" is neither a string nor a list with a template named "default".',
    'Put the template into a file chat_template.jinja next to it.',
  );
}

function readSpecialTokens(config: Json): SpecialTokens {
  const tokens: Record<string, string> = {};
  for (const name of ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask']) {
    const value = config[`${name}_token`];
    const content = isJson(value) ? value['content'] : value;
    if (typeof content === 'string') tokens[`${name}_token`] = content;
  }
  return tokens;
}
