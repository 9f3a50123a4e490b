import { basename } from 'node:path';
import type { Host } from '../../../language/host/host.js';
import type { Json } from '../../../language/host/json.js';
import { compileChatTemplate } from '../chat-template/index.js';
import { configJsonOf, writtenCompanions } from '../companions.js';
import { type ModelFolder, weightAccess } from '../load.js';
import type { ModelConfig } from '../types.js';
import { ggufConfig } from './config.js';
import { textIn } from './fields.js';
import { type GgufHeader, readGgufHeader } from './header.js';
import { ggufBegins, ggufSpecialTokens, ggufTokenizerJson } from './tokenizer.js';
import { ggufSource } from './weights.js';

/** Opens a GGUF file as a model: its config, weights, tokenizer and chat template. Throws a `ModelError`. */
export function openGguf(host: Host, path: string): ModelFolder {
  const header = readGgufHeader(host, path);
  const config = ggufConfig(host, header);
  const template = () => {
    const source = textIn(header, 'tokenizer.chat_template');
    return source === undefined ? undefined : compileChatTemplate(source, ggufSpecialTokens(header), path);
  };
  return {
    path,
    config,
    configJson: () => configJsonOf(config),
    companions: () =>
      writtenCompanions({
        config,
        tokenizer: () => ggufTokenizerJson(header),
        tokenizerConfig: tokenizerConfig(header, config),
        template: template(),
      }),
    files: () => [{ name: basename(path), bytes: host.stat(path)?.size ?? 0 }],
    ...weightAccess(path, config, () => ggufSource(host, header, config)),
    async tokenizer() {
      const [{ parseTokenizer }, { buildTokenizer }] = await Promise.all([
        import('../tokenizer/file.js'),
        import('../tokenizer/tokenizer.js'),
      ]);
      return buildTokenizer(parseTokenizer(ggufTokenizerJson(header), path), path);
    },
    template,
    specialTokens: () => ggufSpecialTokens(header),
    licence() {
      const licence = header.values.get('general.license');
      return typeof licence === 'string' ? licence : undefined;
    },
  };
}

function tokenizerConfig(header: GgufHeader, { maxPositions }: ModelConfig): Json {
  return {
    ...ggufSpecialTokens(header),
    add_bos_token: ggufBegins(header),
    clean_up_tokenization_spaces: false,
    model_max_length: maxPositions,
    tokenizer_class: 'PreTrainedTokenizerFast',
  };
}
