import { basename } from 'node:path';
import type { Host } from '../../source/host.js';
import { compileChatTemplate } from '../chat-template.js';
import { type ModelFolder, weightAccess } from '../load.js';
import { ggufConfig } from './config.js';
import { type GgufHeader, readGgufHeader } from './header.js';
import { ggufTokenizerJson } from './tokenizer.js';
import { ggufSource } from './weights.js';

/** Opens a GGUF file as a model: its config, weights, tokenizer and chat template. Throws a `ModelError`. */
export function openGguf(host: Host, path: string): ModelFolder {
  const header = readGgufHeader(host, path);
  const config = ggufConfig(header);
  return {
    path,
    config,
    files: () => [{ name: basename(path), bytes: host.stat(path)?.size ?? 0 }],
    ...weightAccess(path, config, () => ggufSource(host, header, config)),
    async tokenizer() {
      const [{ parseTokenizer }, { buildTokenizer }] = await Promise.all([
        import('../tokenizer/file.js'),
        import('../tokenizer/tokenizer.js'),
      ]);
      return buildTokenizer(parseTokenizer(ggufTokenizerJson(header), path), path);
    },
    template() {
      const source = header.values.get('tokenizer.chat_template');
      return typeof source === 'string'
        ? compileChatTemplate(source, specialTokens(header), path)
        : undefined;
    },
    licence() {
      const licence = header.values.get('general.license');
      return typeof licence === 'string' ? licence : undefined;
    },
  };
}

const SPECIAL: Readonly<Record<string, string>> = {
  bos_token: 'tokenizer.ggml.bos_token_id',
  eos_token: 'tokenizer.ggml.eos_token_id',
  unk_token: 'tokenizer.ggml.unknown_token_id',
  pad_token: 'tokenizer.ggml.padding_token_id',
};

function specialTokens({ values }: GgufHeader): Readonly<Record<string, string>> {
  const tokens = values.get('tokenizer.ggml.tokens');
  const found: Record<string, string> = {};
  for (const [name, key] of Object.entries(SPECIAL)) {
    const id = values.get(key);
    const token = Array.isArray(tokens) && typeof id === 'number' ? tokens[id] : undefined;
    if (typeof token === 'string') found[name] = token;
  }
  return found;
}
