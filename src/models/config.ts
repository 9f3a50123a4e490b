import type { Host } from '../source/host.js';
import { isJson, type Json, readJsonFile } from './json-file.js';
import { type ModelConfig, ModelError } from './types.js';

const MAX_BYTES = 10_000_000;
/** Every layer has tensors to be named and checked; the deepest models have some hundreds. */
const MAX_LAYERS = 10_000;
const SUPPORTED =
  'Supported is the Llama architecture (model_type "llama", LlamaForCausalLM) with rotary type "default"';

/**
 * Reads `config.json` in the form of transformers 4 (`rope_theta`) or 5 (`rope_parameters`), and the end-of-text ids
 * of `generation_config.json`. Throws a {@link ModelError}: `model_unsupported` for a model of another kind,
 * `model_config` for a value that makes no sense.
 */
export function readConfig(host: Host, folder: string): ModelConfig {
  const path = `${folder}/config.json`;
  const config = parseConfig(readJsonFile(host, path, { code: 'model_config', maxBytes: MAX_BYTES }), path);
  const generation = `${folder}/generation_config.json`;
  if (host.stat(generation) === undefined) return config;
  const more = readJsonFile(host, generation, { code: 'model_config', maxBytes: MAX_BYTES });
  const eos = tokenIds(more['eos_token_id'], 'eos_token_id', generation, config.vocabSize);
  return eos.length === 0 ? config : { ...config, eosTokenIds: eos };
}

/** The config from the object that `config.json` holds; `path` is what errors name. */
export function parseConfig(json: Json, path: string): ModelConfig {
  checkSupported(json, path);
  const read = (field: string, fallback?: number): number => {
    const value = json[field] ?? fallback;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value < 2 ** 31)
      return value;
    return wrong(path, field, value, 'a positive whole number');
  };
  const hiddenSize = read('hidden_size');
  const layers = read('num_hidden_layers');
  if (layers > MAX_LAYERS) wrong(path, 'num_hidden_layers', layers, `at most ${MAX_LAYERS}`);
  const heads = read('num_attention_heads');
  const keyValueHeads = read('num_key_value_heads', heads);
  if (heads % keyValueHeads !== 0) {
    wrong(path, 'num_attention_heads', heads, `a multiple of num_key_value_heads (${keyValueHeads})`);
  }
  if (json['head_dim'] == null && hiddenSize % heads !== 0) {
    wrong(path, 'hidden_size', hiddenSize, `a multiple of num_attention_heads (${heads})`);
  }
  const headDim = read('head_dim', hiddenSize / heads);
  if (headDim % 2 !== 0) wrong(path, 'head_dim', headDim, 'even, as rotary positions need it');
  const vocabSize = read('vocab_size');
  return {
    architecture: 'llama',
    vocabSize,
    hiddenSize,
    intermediateSize: read('intermediate_size'),
    layers,
    heads,
    keyValueHeads,
    headDim,
    maxPositions: read('max_position_embeddings', 2048),
    ropeTheta: positive(ropeTheta(json), 'rope_theta', path),
    rmsEpsilon: positive(json['rms_norm_eps'] ?? 1e-6, 'rms_norm_eps', path),
    tieEmbeddings: flag(json, 'tie_word_embeddings', path),
    bosTokenId: tokenIds(json['bos_token_id'], 'bos_token_id', path, vocabSize)[0] ?? null,
    eosTokenIds: tokenIds(json['eos_token_id'], 'eos_token_id', path, vocabSize),
    padTokenId: tokenIds(json['pad_token_id'], 'pad_token_id', path, vocabSize)[0] ?? null,
  };
}

/** Fields whose other values would change the computation, with the values that are understood. */
const REQUIRED_VALUES: Readonly<Record<string, readonly unknown[]>> = {
  model_type: ['llama'],
  hidden_act: ['silu', undefined],
  attention_bias: [false, null, undefined],
  mlp_bias: [false, null, undefined],
  quantization_config: [null, undefined],
};

function checkSupported(json: Json, path: string): void {
  for (const [field, values] of Object.entries(REQUIRED_VALUES)) {
    if (!values.includes(json[field])) unsupported(path, field, json[field]);
  }
  const architectures = json['architectures'];
  if (Array.isArray(architectures) && !architectures.includes('LlamaForCausalLM')) {
    unsupported(path, 'architectures', architectures);
  }
  for (const field of ['rope_scaling', 'rope_parameters']) {
    const rope = json[field];
    if (rope == null) continue;
    const type = isJson(rope) ? (rope['rope_type'] ?? rope['type'] ?? 'default') : rope;
    if (type !== 'default') unsupported(path, field, rope);
    if (isJson(rope) && (rope['partial_rotary_factor'] ?? 1) !== 1) unsupported(path, field, rope);
  }
}

function ropeTheta(json: Json): unknown {
  const parameters = json['rope_parameters'];
  return (isJson(parameters) ? parameters['rope_theta'] : undefined) ?? json['rope_theta'] ?? 10_000;
}

function positive(value: unknown, field: string, path: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  return wrong(path, field, value, 'a positive number');
}

function flag(json: Json, field: string, path: string): boolean {
  const value = json[field] ?? false;
  return typeof value === 'boolean' ? value : wrong(path, field, value, 'true or false');
}

/** One id, a list of ids or nothing; an id outside the vocabulary (some files write -1 for none) is no id. */
function tokenIds(value: unknown, field: string, path: string, vocabSize: number): readonly number[] {
  if (value == null) return [];
  return (Array.isArray(value) ? value : [value]).flatMap((id) => {
    if (typeof id !== 'number' || !Number.isInteger(id))
      return wrong(path, field, value, 'a token id or a list of them');
    return id >= 0 && id < vocabSize ? [id] : [];
  });
}

function wrong(path: string, field: string, value: unknown, expected: string): never {
  const found = value === undefined ? 'missing' : short(value);
  throw new ModelError(
    'model_config',
    path,
    `"${field}" is ${found}; it must be ${expected}.`,
    'Mend the file, or fetch the model again.',
  );
}

function unsupported(path: string, field: string, value: unknown): never {
  throw new ModelError(
    'model_unsupported',
    path,
    `"${field}" is ${value === undefined ? 'missing' : short(value)}.`,
    `${SUPPORTED}, silu, and no biases.`,
  );
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
