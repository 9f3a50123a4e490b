import { basename } from 'node:path';
import { stringifyChunked } from '@discoveryjs/json-ext';
import type { Host } from '../../../language/host/host.js';
import type { Json } from '../../../language/host/json.js';
import { FAMILIES } from '../architectures/index.js';
import { CHAT_TEMPLATE, compileChatTemplate, type LoadedTemplate } from '../chat-template/index.js';
import { oneOrMore } from '../config/shape.js';
import { type Companion, type ModelFolder, weightAccess } from '../load.js';
import type { ModelConfig } from '../types.js';
import { ggufModel } from './config.js';
import { textIn } from './families.js';
import { type GgufHeader, readGgufHeader } from './header.js';
import { ggufBegins, ggufSpecialTokens, ggufTokenizerJson, ggufVocabularySize } from './tokenizer.js';
import { ggufSource } from './weights.js';

/** Opens a GGUF file as a model: its config, weights, tokenizer and chat template. Throws a `ModelError`. */
export function openGguf(host: Host, path: string): ModelFolder {
  const header = readGgufHeader(host, path);
  const { config, json, layout } = ggufModel(host, header);
  const configJson = (): Json => {
    if (config.foreign !== undefined) return json;
    const { className, modelType, write } = FAMILIES[config.architecture];
    return { architectures: [className], model_type: modelType, ...write(config) };
  };
  const template = () => {
    const source = textIn(header, 'tokenizer.chat_template');
    return source === undefined ? undefined : compileChatTemplate(source, ggufSpecialTokens(header), path);
  };
  return {
    path,
    config,
    configJson,
    vocabulary: ggufVocabularySize(header),
    gguf: layout.filter(({ ggufName }) => header.tensors.has(ggufName)),
    companions: () => companionsOf(header, config, template()),
    files: () => [{ name: basename(path), bytes: host.stat(path)?.size ?? 0 }],
    ...weightAccess(path, config, () => ggufSource(host, header, layout)),
    async tokenizer() {
      const [{ parseTokenizer }, { madeOf }] = await Promise.all([
        import('../tokenizer/file.js'),
        import('../tokenizer/tokenizer.js'),
      ]);
      return madeOf(() => parseTokenizer(ggufTokenizerJson(header), path), path);
    },
    template,
    specialTokens: () => ggufSpecialTokens(header),
    licence() {
      const licence = header.values.get('general.license');
      return typeof licence === 'string' ? licence : undefined;
    },
  };
}

/** The companions that transformers would find next to the model of the file. */
function companionsOf(
  header: GgufHeader,
  config: ModelConfig,
  template: LoadedTemplate | undefined,
): readonly Companion[] {
  const generation = {
    ...(config.bosTokenId === null ? {} : { bos_token_id: config.bosTokenId }),
    ...(config.eosTokenIds.length === 0 ? {} : { eos_token_id: oneOrMore(config.eosTokenIds) }),
    ...(config.padTokenId === null ? {} : { pad_token_id: config.padTokenId }),
  };
  const tokenizer = {
    ...ggufSpecialTokens(header),
    add_bos_token: ggufBegins(header),
    clean_up_tokenization_spaces: false,
    model_max_length: config.maxPositions,
    tokenizer_class: 'PreTrainedTokenizerFast',
  };
  return [
    ...(template === undefined ? [] : [{ name: CHAT_TEMPLATE, read: () => template.source }]),
    { name: 'generation_config.json', read: () => text(generation) },
    tokenizerFile(header),
    { name: 'tokenizer_config.json', read: () => text(tokenizer) },
  ];
}

/** Made when it is asked for: it is by far the largest, 31 million characters for Gemma 3. */
function tokenizerFile(header: GgufHeader): Companion {
  function* pieces(): Iterable<string> {
    yield* stringifyChunked(ggufTokenizerJson(header), null, INDENT);
    yield '\n';
  }
  return { name: 'tokenizer.json', read: () => [...pieces()].join(''), pieces };
}

const INDENT = 2;
const text = (json: Json): string => `${JSON.stringify(json, null, INDENT)}\n`;
