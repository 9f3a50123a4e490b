/**
 * A base with tokens of its user's: in the tokenizer as transformers' `add_special_tokens` and `add_tokens` put them
 * there, and with a row each in embedding and head, as `resize_token_embeddings` makes them. Nothing is written:
 * whoever opens the base sees it so.
 */
import * as v from 'valibot';
import type { Host } from '../../language/host/host.js';
import { isJson, type Json, tryJsonFile } from '../../language/host/json.js';
import { shareableFloats } from '../../language/host/shareable.js';
import { sizeOf } from '../tensor/shape.js';
import { blueprintOf } from './architectures/index.js';
import { type Companion, type ModelFolder, weightAccess } from './load.js';
import { parseTokenizer } from './tokenizer/file.js';
import { type ModelConfig, ModelError, type StoredTensor } from './types.js';
import { encodeBfloat16, encodeFloat16, ROUNDINGS } from './weights/half.js';
import { blockTensor, float32Tensor, type SourceTensor, type WeightSource } from './weights/stored-tensor.js';

/** Tokens that a base has besides those of its files. Plain ones get their ids first, as in Axolotl and LLaMA-Factory. */
export interface NewTokens {
  /** Left out of answers that are shown. */
  readonly specialTokens?: readonly string[];
  /** Part of the text, like those of the vocabulary. */
  readonly plainTokens?: readonly string[];
}

/** The tokens of something that has more to it. */
export const newTokensOf = ({ specialTokens, plainTokens }: NewTokens): NewTokens => ({
  ...(specialTokens === undefined ? {} : { specialTokens }),
  ...(plainTokens === undefined ? {} : { plainTokens }),
});

export const hasNewTokens = ({ specialTokens = [], plainTokens = [] }: NewTokens): boolean =>
  specialTokens.length + plainTokens.length > 0;

/** What an adapter folder says of the tokens that its base lacks. */
export const SPECIAL_TOKENS_FILE = 'special_tokens.json';

const NAMES = v.array(v.pipe(v.string(), v.nonEmpty()));
const SPECIAL_TOKENS = v.object({ special_tokens: NAMES, added_tokens: v.optional(NAMES) });

export const newTokensText = ({ specialTokens = [], plainTokens }: NewTokens): string =>
  `${JSON.stringify({ special_tokens: specialTokens, added_tokens: plainTokens }, null, 2)}\n`;

/** `undefined` where the base of an adapter folder has its own tokens alone. */
export function readNewTokens(host: Host, folder: string): NewTokens | undefined {
  const found = tryJsonFile(SPECIAL_TOKENS, host, `${folder}/${SPECIAL_TOKENS_FILE}`);
  return found && { specialTokens: found.special_tokens, plainTokens: found.added_tokens };
}

/** Files of a tokenizer, which go with an adapter whose base gets tokens: `AutoTokenizer` then loads it from there. */
const TOKENIZER_FILES: ReadonlySet<string> = new Set([
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
]);

export const tokenizerCompanions = (model: Pick<ModelFolder, 'companions'>): readonly Companion[] =>
  model.companions().filter(({ name }) => TOKENIZER_FILES.has(name));

interface TokenizerWithTokens {
  /** The text of `tokenizer.json`, as an object. */
  readonly json: Json;
  /** Ids of the plain tokens and of the special ones, in the order of their names. */
  readonly ids: readonly number[];
  /** Those that were no added tokens before. */
  readonly added: readonly string[];
}

/**
 * The tokenizer with further tokens. One that was added before stays as it is, and a word of the vocabulary keeps its
 * id; the others continue to count after all there are (`AddedVocabulary::add_tokens` of the tokenizers library).
 * Throws a {@link ModelError}.
 */
function tokenizerWithTokens(
  json: Json,
  { specialTokens = [], plainTokens = [] }: NewTokens,
  path: string,
): TokenizerWithTokens {
  const { model, added } = parseTokenizer(json, path);
  const ids = new Map(model.vocab);
  for (const { content, id } of added) ids.set(content, id);
  let next = Math.max(model.vocab.size, ...added.map(({ id }) => id + 1));
  const special = new Set(specialTokens);
  const found = [...plainTokens, ...specialTokens].map((token) => {
    const id = ids.get(token) ?? next++;
    ids.set(token, id);
    return { id, content: token, special: special.has(token) };
  });
  const before = new Set(added.map(({ content }) => content));
  const others = new Map(found.flatMap((each) => (before.has(each.content) ? [] : [[each.content, each]])));
  const listed: unknown = json['added_tokens'];
  const entries = [...(Array.isArray(listed) ? listed : []), ...[...others.values()].map(entryOf)].sort(
    (a, b) => idOf(a) - idOf(b),
  );
  return {
    json: { ...json, added_tokens: entries },
    ids: found.map(({ id }) => id),
    added: [...others.keys()],
  };
}

interface NewToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
}

/** Found anywhere in the text as it is: in transformers `AddedToken(name, normalized=False)`, which special ones are anyway. */
const entryOf = ({ id, content, special }: NewToken): Json => ({
  ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special },
});

const idOf = (entry: unknown): number => (isJson(entry) ? Number(entry['id']) : 0);

/** The model with further tokens; `tokens` without one is the model itself. Throws a {@link ModelError}. */
export function withNewTokens(model: ModelFolder, tokens: NewTokens): ModelFolder {
  if (!hasNewTokens(tokens)) return model;
  const { config } = model;
  if (config.foreign !== undefined) throw config.foreign.refusal;
  const path = `${model.path}/tokenizer.json`;
  const original = model.tokenizerJson?.();
  if (original === undefined)
    throw new ModelError(
      'model_tokenizer',
      path,
      'Tokens are added to a tokenizer.json, and the model has none.',
      'Save the tokenizer with transformers (`AutoTokenizer.from_pretrained(…).save_pretrained(…)`), or leave out `special_tokens` and `added_tokens`.',
    );
  const { json, ids, added } = tokenizerWithTokens(original, tokens, path);
  // rows that the model has besides its tokens' are used first, as in transformers, where nobody shrinks a model
  const resized = { ...config, vocabSize: Math.max(config.vocabSize, ...ids.map((id) => id + 1)) };
  const text = `${JSON.stringify(json)}\n`;
  return {
    ...model,
    config: resized,
    configJson: () => ({ ...model.configJson(), vocab_size: resized.vocabSize }),
    companions: () =>
      model
        .companions()
        .map((each) => (each.name === 'tokenizer.json' ? { ...each, read: () => text } : each)),
    tokenizerJson: () => json,
    addedTokens: added,
    async tokenizer() {
      const { tokenizerOver } = await import('./tokenizer/tokenizer.js');
      return tokenizerOver(json, path, await model.tokenizer());
    },
    ...weightAccess(model.path, resized, () => resizedSource(model.source(), config, resized.vocabSize)),
  };
}

/** Embedding and head over a larger vocabulary; a head over labels stays as it is. */
function resizedSource(source: WeightSource, config: ModelConfig, rows: number): WeightSource {
  const { embedding, head } = blueprintOf(config);
  const names = config.labels === undefined ? [embedding.name, head.output.name] : [embedding.name];
  const resized = names.flatMap((name): [string, SourceTensor][] => {
    const tensor = source.get(name);
    return tensor === undefined || rows === config.vocabSize ? [] : [[name, resizedTensor(tensor, rows)]];
  });
  return new Map([...source, ...resized]);
}

/** Values that are read at a time. */
const WINDOW = 1 << 18;

/**
 * With further rows, each the mean of those that there are, summed in float64 and rounded to the format: the logits of
 * other tokens change by next to nothing (Hewitt 2021, nlp.stanford.edu/~johnhew/vocab-expansion.html). transformers
 * draws around the mean with a billionth of the covariance, which is within rounding of it.
 */
function resizedTensor(source: SourceTensor, rows: number): SourceTensor {
  const { name, path, shape } = source;
  const [before = 0, width = 0] = shape;
  const old = before * width;
  const resized = [rows, width];
  let known: Float32Array | undefined;
  const mean = (): Float32Array => {
    known ??= meanRow(source, before, width);
    return known;
  };
  const read = (start: number, out: Float32Array): void => {
    const there = Math.min(out.length, Math.max(0, old - start));
    if (there > 0) source.read(start, out.subarray(0, there));
    if (there === out.length) return;
    const row = mean();
    for (let at = there; at < out.length; at++) out[at] = row[(start + at) % width] ?? 0;
  };
  return {
    name,
    path,
    shape: resized,
    format: () => formatOf(source),
    read,
    load: () => loaded(name, resized, formatOf(source), read),
  };
}

type Format = 'F32' | 'F16' | 'BF16';

function formatOf(source: SourceTensor): Format {
  const format = source.format();
  if (format === 'F32' || format === 'F16' || format === 'BF16') return format;
  throw new ModelError(
    'model_unsupported',
    source.path,
    `Tensor "${source.name}" is stored as ${format}, in blocks that no row can be added to.`,
    'Use the weights as they were before they were quantised, or leave out `special_tokens` and `added_tokens`.',
  );
}

function meanRow(source: SourceTensor, rows: number, width: number): Float32Array {
  const sums = new Float64Array(width);
  const step = Math.max(1, Math.floor(WINDOW / width));
  for (let first = 0; first < rows; first += step) {
    const values = new Float32Array(Math.min(step, rows - first) * width);
    source.read(first * width, values);
    for (const [at, value] of values.entries()) {
      const column = at % width;
      sums[column] = (sums[column] ?? 0) + value;
    }
  }
  const mean = Float32Array.from(sums, (sum) => sum / rows);
  ROUNDINGS[TORCH[formatOf(source)]]?.(mean);
  return mean;
}

const TORCH = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;

/** In the format of its file; float32 values are never there twice. */
function loaded(
  name: string,
  shape: readonly number[],
  format: Format,
  read: (start: number, out: Float32Array) => void,
): StoredTensor {
  const elements = sizeOf(shape);
  if (format === 'F32') {
    const data = shareableFloats(elements);
    for (let start = 0; start < elements; start += WINDOW) read(start, data.subarray(start, start + WINDOW));
    return float32Tensor(name, shape, data);
  }
  const encode = format === 'F16' ? encodeFloat16 : encodeBfloat16;
  const halves = new Uint16Array(elements);
  const window = new Float32Array(Math.min(WINDOW, elements));
  for (let start = 0; start < elements; start += WINDOW) {
    const values = window.subarray(0, elements - start);
    read(start, values);
    halves.set(encode(values), start);
  }
  return blockTensor(name, shape, format, new Uint8Array(halves.buffer));
}
