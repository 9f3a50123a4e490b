/** `tokenizer.ggml.*`: a model's tokenizer as llama.cpp reads it. */
import type { UserError } from '../../../language/diagnostics/types.js';
import { isJson, type Json } from '../../../language/host/json.js';
import type { Span } from '../../../language/source/span.js';
import { END_TOKENS } from '../../models/gguf/config.js';
import type { GgufHeader, GgufValue } from '../../models/gguf/header.js';
import { spacesTaken, takesSpaces } from '../../models/gguf/named-spaces.js';
import { PRE_TOKENIZERS, SPACE_PREFIX, spacePrefix, stepOf } from '../../models/gguf/vocabularies.js';
import type { GgufField } from '../../models/gguf/write.js';
import type { ModelFiles } from '../../models/load.js';

import { type BpeModel, parseTokenizer, type TokenizerFile } from '../../models/tokenizer/file.js';
import type { ModelConfig } from '../../models/types.js';
import { noGgufTokenizer } from './gguf-diagnostics.js';
import { flag, text, u32 } from './hyperparameters.js';

type Fields = Readonly<Record<string, GgufField>>;

export interface WrittenVocabulary {
  readonly fields: Fields;
  /** Whether spaces after special tokens belong to these. */
  readonly spacesTaken: boolean;
}

/** Kinds of tokens (`enum llama_token_type`). */
const KIND = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** Of a token that no merge makes: it is never looked for. */
const NO_SCORE = -1000;

/** What a folder's `tokenizer.json` says. Throws a `UserError` for a tokenizer that llama.cpp has no name for. */
export function folderVocabulary(model: ModelFiles, config: ModelConfig, at?: Span): WrittenVocabulary {
  const path = `${model.path}/tokenizer.json`;
  const json = model.tokenizerJson?.();
  if (json === undefined) throw noGgufTokenizer(model.path, 'there is no `tokenizer.json`', at);
  const file = parseTokenizer(json, path);
  const tokens = tokensOf(file, config.vocabSize);
  const refusal: Refusal = (why) => noGgufTokenizer(path, why, at);
  const fields: Fields = {
    ...(file.model.byteFallback ? sentencePiece(file, tokens) : byteLevel(file, refusal)),
    'tokenizer.ggml.tokens': { type: 'array', of: 'string', value: tokens },
    'tokenizer.ggml.token_type': {
      type: 'array',
      of: 'i32',
      value: kindsOf(file, tokens, unknownOf(model, file)),
    },
    ...specialIds(model, config, file),
    ...endIds(model, config, file, refusal),
    'tokenizer.ggml.add_bos_token': flag(file.beginId !== undefined),
    'tokenizer.ggml.add_eos_token': flag(false),
  };
  return { fields, spacesTaken: spacesTakenBy(file, refusal) };
}

/** By id; as many as the embedding has rows. */
function tokensOf({ model, added }: TokenizerFile, count: number): readonly string[] {
  const tokens = Array.from({ length: count }, (_, id) => `[PAD${id}]`);
  for (const [token, id] of model.vocab) if (id < count) tokens[id] = token;
  for (const { content, id } of added) if (id < count) tokens[id] = content;
  return tokens;
}

const BYTE = /^<0x[0-9A-F]{2}>$/;

const unknownOf = (model: ModelFiles, file: TokenizerFile): string | undefined =>
  file.model.unknown ?? model.specialTokens()['unk_token'];

function kindsOf(
  { model, added }: TokenizerFile,
  tokens: readonly string[],
  unknown: string | undefined,
): readonly number[] {
  const ids = new Set(model.vocab.values());
  const kinds = tokens.map((token, id): number => {
    if (!ids.has(id)) return KIND.unused;
    if (model.byteFallback && token === unknown) return KIND.unknown;
    return model.byteFallback && BYTE.test(token) ? KIND.byte : KIND.normal;
  });
  for (const { id, special } of added)
    if (id < kinds.length && kinds[id] !== KIND.unknown)
      kinds[id] = special ? KIND.control : KIND.userDefined;
  return kinds;
}

type Refusal = (why: string) => UserError;

function byteLevel({ model, pipeline }: TokenizerFile, refusal: Refusal): Fields {
  return {
    'tokenizer.ggml.model': text('gpt2'),
    'tokenizer.ggml.pre': text(preTokenizerName(model, pipeline, refusal)),
    'tokenizer.ggml.merges': {
      type: 'array',
      of: 'string',
      value: model.merges.map(([left, right]) => `${left} ${right}`),
    },
  };
}

/** Byte-pair merges of pieces of text: llama.cpp takes the pair whose piece has the highest score. */
function sentencePiece({ model, pipeline }: TokenizerFile, tokens: readonly string[]): Fields {
  const rank = new Map<string, number>();
  for (const [left, right] of model.merges) {
    const merged = left + right;
    if (!rank.has(merged)) rank.set(merged, rank.size);
  }
  const value = tokens.map((token) => {
    const at = rank.get(token);
    return at === undefined ? NO_SCORE - rank.size : -at;
  });
  const how = putsSpace(pipeline) ? spacePrefix(pipeline) : undefined;
  return {
    'tokenizer.ggml.model': text('llama'),
    'tokenizer.ggml.pre': text('default'),
    'tokenizer.ggml.scores': { type: 'array', of: 'f32', value },
    'tokenizer.ggml.add_space_prefix': flag(putsSpace(pipeline)),
    ...(how === undefined ? {} : { [SPACE_PREFIX]: text(how) }),
  };
}

/** Whether a space is put before a text. */
function putsSpace({ normalizer, pre_tokenizer: before }: Json): boolean {
  if (stepOf(normalizer, 'Prepend') !== undefined) return true;
  const step = stepOf(before, 'Metaspace');
  return (
    step !== undefined &&
    (step['prepend_scheme'] ?? 'always') !== 'never' &&
    step['add_prefix_space'] !== false
  );
}

/**
 * llama.cpp has a name for what cuts a text into words. It normalises none, so that only one that does not matter is
 * passed over.
 */
function preTokenizerName({ ignoreMerges, merges }: BpeModel, pipeline: Json, refusal: Refusal): string {
  const wanted = comparable(pipeline['pre_tokenizer']);
  const normalizer = pipeline['normalizer'];
  const named = Object.entries(PRE_TOKENIZERS).filter(([, { step }]) => comparable(step) === wanted);
  // where nothing is merged, words do not matter
  const [name] =
    merges.length === 0
      ? ['gpt-2']
      : (named.find(([, pre]) => (pre.ignoreMerges ?? false) === ignoreMerges) ?? []);
  if (name === undefined) throw refusal('llama.cpp has no name for its pre-tokenizer');
  if (normalizer !== null && !(isJson(normalizer) && normalizer['type'] === 'NFC'))
    throw refusal('it normalises texts, which llama.cpp does not');
  return name;
}

/** A step as text: what has no effect on words is left out, and a sequence of one step is that step. */
function comparable(step: unknown): string {
  if (!isJson(step)) return 'null';
  const { pretokenizers: steps } = step;
  if (Array.isArray(steps)) return steps.map(comparable).join('|');
  const { trim_offsets: _, ...rest } = step;
  const filled = rest['type'] === 'ByteLevel' ? { use_regex: true, add_prefix_space: true, ...rest } : rest;
  return JSON.stringify(Object.entries(filled).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const idOf = ({ added, model }: TokenizerFile, token: string | undefined): number | undefined =>
  token === undefined
    ? undefined
    : (added.find(({ content }) => content === token)?.id ?? model.vocab.get(token));

function specialIds(model: ModelFiles, config: ModelConfig, file: TokenizerFile): Fields {
  const special = model.specialTokens();
  return idFields({
    bos_token_id: config.bosTokenId ?? idOf(file, special['bos_token']),
    unknown_token_id: idOf(file, unknownOf(model, file)),
    padding_token_id: config.padTokenId ?? idOf(file, special['pad_token']),
  });
}

/** Tokens that end an answer. Of several, the last ends a turn: `<|eot_id|>`, `<|end|>`, `<end_of_turn>`. */
function endIds(model: ModelFiles, config: ModelConfig, file: TokenizerFile, refusal: Refusal): Fields {
  const [first = idOf(file, model.specialTokens()['eos_token']), ...others] = config.eosTokenIds;
  if (others.length >= END_TOKENS.length)
    throw refusal(
      `${config.eosTokenIds.length} tokens end an answer, and there is room for ${END_TOKENS.length}`,
    );
  return idFields({
    eos_token_id: first,
    eom_token_id: others.at(-2),
    eot_token_id: others.at(-1),
  } satisfies Record<(typeof END_TOKENS)[number], number | undefined>);
}

const idFields = (ids: Readonly<Record<string, number | undefined>>): Fields =>
  Object.fromEntries(
    Object.entries(ids).flatMap(([key, id]) => (id == null ? [] : [[`tokenizer.ggml.${key}`, u32(id)]])),
  );

/** Whether spaces after special tokens belong to these, as in Phi-3. Throws for what llama.cpp has no form for. */
function spacesTakenBy({ added }: TokenizerFile, refusal: Refusal): boolean {
  const taken = added.some(({ rightStrip }) => rightStrip);
  const isOther = added.some(
    ({ content, leftStrip, rightStrip }) => leftStrip || rightStrip !== (taken && takesSpaces(content)),
  );
  if (isOther) throw refusal('spaces next to some of its special tokens belong to these');
  return taken;
}

/** How each value of a GGUF file's own vocabulary is written again. */
const COPIED: readonly (readonly [pattern: RegExp, of: (value: GgufValue) => GgufField | undefined])[] = [
  [
    /^(?:ftpc\.)?tokenizer\.(?:ggml\.model|ggml\.pre|chat_template|space_prefix)$/,
    (value) => text(String(value)),
  ],
  [/^tokenizer\.ggml\.\w+_token_id$/, (value) => u32(Number(value))],
  [/^tokenizer\.ggml\.(?:add|remove)_\w+$/, (value) => flag(value === true)],
  [
    /^tokenizer\.ggml\.(?:tokens|merges)$/,
    (value) => ({ type: 'array', of: 'string', value: listOf(value).map(String) }),
  ],
  [/^tokenizer\.ggml\.scores$/, (value) => ({ type: 'array', of: 'f32', value: listOf(value).map(Number) })],
  [
    /^tokenizer\.ggml\.token_type$/,
    (value) => ({ type: 'array', of: 'i32', value: listOf(value).map(Number) }),
  ],
];

const listOf = (value: GgufValue): readonly GgufValue[] => (Array.isArray(value) ? value : []);

/** A GGUF file's vocabulary as it is. */
export function copiedVocabulary(header: GgufHeader): WrittenVocabulary {
  const found: Record<string, GgufField> = {};
  for (const [key, value] of header.values) {
    const field = COPIED.find(([pattern]) => pattern.test(key))?.[1](value);
    if (field !== undefined) found[key] = field;
  }
  return { fields: found, spacesTaken: spacesTaken(header) };
}
