import type { Host } from '../source/host.js';
import type { LoadedTemplate } from './chat-template.js';
import type { Json } from './json-file.js';
import type { ModelConfig } from './types.js';

/** A file that stands beside config and weights in a Hugging Face folder. */
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

export interface CompanionParts {
  readonly config: ModelConfig;
  /** Made when it is asked for: it is by far the largest. */
  readonly tokenizer: () => Json;
  readonly tokenizerConfig: Json;
  readonly template: LoadedTemplate | undefined;
}

/** The companions that transformers would find beside a model that stands in one file. */
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

const oneOrMore = (ids: readonly number[]): unknown => (ids.length === 1 ? ids[0] : ids);

/** A `config.json` that says what the config says, in the form that transformers 4 and 5 read. */
export function configJsonOf(config: ModelConfig): Json {
  return {
    architectures: ['LlamaForCausalLM'],
    attention_bias: false,
    bos_token_id: config.bosTokenId,
    eos_token_id: config.eosTokenIds.length === 0 ? null : oneOrMore(config.eosTokenIds),
    head_dim: config.headDim,
    hidden_act: 'silu',
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    max_position_embeddings: config.maxPositions,
    mlp_bias: false,
    model_type: 'llama',
    num_attention_heads: config.heads,
    num_hidden_layers: config.layers,
    num_key_value_heads: config.keyValueHeads,
    pad_token_id: config.padTokenId,
    rms_norm_eps: config.rmsEpsilon,
    rope_theta: config.ropeTheta,
    tie_word_embeddings: config.tieEmbeddings,
    vocab_size: config.vocabSize,
  };
}
