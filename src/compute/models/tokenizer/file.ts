import * as v from 'valibot';
import type { Host } from '../../../language/host/host.js';
import { isJson, type Json } from '../../../language/host/json.js';
import { readJsonFile } from '../read-file.js';
import { ModelError } from '../types.js';

/** A token that is cut out of the text before the byte-pair merges see it. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
  readonly singleWord: boolean;
  readonly leftStrip: boolean;
  readonly rightStrip: boolean;
  /** Looked for in the normalised text instead of the raw one. */
  readonly normalized: boolean;
}

export interface BpeModel {
  readonly vocab: ReadonlyMap<string, number>;
  /** The same by id. */
  readonly tokens: readonly (string | undefined)[];
  /** Left and right token of each merge, the first merge first. */
  readonly merges: readonly (readonly [string, string])[];
  readonly unknown: string | null;
  readonly fuseUnknown: boolean;
  readonly byteFallback: boolean;
  readonly ignoreMerges: boolean;
}

export interface TokenizerFile {
  readonly model: BpeModel;
  readonly added: readonly AddedToken[];
  /** Token that the post-processor puts before a text. */
  readonly beginId?: number;
  /** Normaliser, pre-tokeniser and decoder as they are in the file. */
  readonly pipeline: Json;
}

const MAX_BYTES = 200_000_000;

/** What a `tokenizer.json` says. Throws a {@link ModelError} `model_tokenizer`. */
export const readTokenizerJson = (host: Host, path: string): Json =>
  readJsonFile(host, path, { code: 'model_tokenizer', maxBytes: MAX_BYTES });

/** Reads and checks a `tokenizer.json` with a byte-pair model. Throws a {@link ModelError} `model_tokenizer`. */
export const readTokenizerFile = (host: Host, path: string): TokenizerFile =>
  parseTokenizer(readTokenizerJson(host, path), path);

/** `path` is what errors name. Throws a {@link ModelError} `model_tokenizer`. */
export function parseTokenizer(json: Json, path: string): TokenizerFile {
  const fail: Fail = (
    detail,
    help = 'Use the tokenizer.json of a Llama-shaped model (byte-pair encoding).',
  ) => {
    throw new ModelError('model_tokenizer', path, detail, help);
  };
  const model = json['model'];
  if (!isJson(model)) return fail('The file has no object "model".');
  if (model['type'] !== 'BPE' && !(model['type'] === undefined && Array.isArray(model['merges']))) {
    return fail(
      `The model is of type ${JSON.stringify(model['type'])}; byte-pair encoding (BPE) is supported.`,
    );
  }
  for (const field of ['dropout', 'continuing_subword_prefix', 'end_of_word_suffix']) {
    if (model[field] != null && model[field] !== '' && model[field] !== 0)
      return fail(`"model.${field}" is not supported.`);
  }
  const vocab = readVocab(model['vocab'], fail);
  const tokens = tokensById(vocab, fail);
  const added = readAdded(json['added_tokens'], fail);
  refuseOtherIds(vocab, tokens, added, fail);
  const beginId = beginOf(json['post_processor']);
  return {
    model: {
      vocab,
      tokens,
      merges: readMerges(model['merges'], fail),
      unknown: typeof model['unk_token'] === 'string' ? model['unk_token'] : null,
      fuseUnknown: model['fuse_unk'] === true,
      byteFallback: model['byte_fallback'] === true,
      ignoreMerges: model['ignore_merges'] === true,
    },
    added,
    ...(beginId === undefined ? {} : { beginId }),
    pipeline: {
      normalizer: json['normalizer'] ?? null,
      pre_tokenizer: json['pre_tokenizer'] ?? null,
      decoder: json['decoder'] ?? null,
    },
  };
}

/** The token at the head of a `TemplateProcessing`, which may be in a sequence of steps. */
function beginOf(step: unknown): number | undefined {
  if (!isJson(step)) return undefined;
  if (Array.isArray(step['processors'])) {
    return step['processors'].map(beginOf).find((id) => id !== undefined);
  }
  const single: unknown = step['single'];
  const [head]: readonly unknown[] = Array.isArray(single) ? single : [];
  const token = isJson(head) && isJson(head['SpecialToken']) ? head['SpecialToken']['id'] : undefined;
  const known = step['special_tokens'];
  const found = isJson(known) && typeof token === 'string' ? known[token] : undefined;
  const ids: unknown = isJson(found) ? found['ids'] : undefined;
  return Array.isArray(ids) && isId(ids[0]) ? ids[0] : undefined;
}

type Fail = (detail: string, help?: string) => never;

function readVocab(value: unknown, fail: Fail): ReadonlyMap<string, number> {
  if (!isJson(value)) return fail('"model.vocab" is not an object.');
  const vocab = new Map<string, number>();
  for (const token of Object.keys(value)) {
    const id = value[token];
    if (!isId(id)) return fail(`"model.vocab" gives ${JSON.stringify(token)} the id ${JSON.stringify(id)}.`);
    vocab.set(token, id);
  }
  if (vocab.size === 0) fail('"model.vocab" is empty: every text would be lost.');
  return vocab;
}

/**
 * The Rust library passes over the ids that a file gives its added tokens: one that the vocabulary has keeps that id, the
 * others continue to count after it. A file that says otherwise would mean other tokens here than everywhere else.
 */
function refuseOtherIds(
  vocab: BpeModel['vocab'],
  tokens: BpeModel['tokens'],
  added: readonly AddedToken[],
  fail: Fail,
): void {
  const ids = new Map<string, number>();
  const owners = new Map<number, string>();
  let last = -1;
  for (const { id, content } of added) {
    const given = ids.get(content) ?? vocab.get(content) ?? Math.max(last + 1, vocab.size);
    const owner = owners.get(id) ?? tokens[id] ?? content;
    if (owner !== content)
      fail(`Token ${JSON.stringify(content)} is added with the id ${id}, which is ${JSON.stringify(owner)}.`);
    if (given !== id)
      fail(
        `Token ${JSON.stringify(content)} is added with the id ${id}, where the tokenizers library gives it ${given}.`,
        'Save the tokenizer again with transformers, which writes the ids that it uses.',
      );
    ids.set(content, id);
    owners.set(id, content);
    last = Math.max(last, id);
  }
}

function tokensById(vocab: BpeModel['vocab'], fail: Fail): BpeModel['tokens'] {
  const tokens: (string | undefined)[] = new Array(vocab.size);
  for (const [token, id] of vocab) {
    const owner = tokens[id];
    if (owner !== undefined)
      fail(`"model.vocab" gives ${JSON.stringify(owner)} and ${JSON.stringify(token)} the same id, ${id}.`);
    tokens[id] = token;
  }
  return tokens;
}

/** A merge is written `"a b"` or, in newer files, `["a", "b"]`. */
function readMerges(value: unknown, fail: Fail): readonly (readonly [string, string])[] {
  if (!Array.isArray(value)) return fail('"model.merges" is not a list.');
  return value.map((merge: unknown, rank) => {
    const parts: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
    return isPair(parts) ? parts : fail(`Merge ${rank} is not a pair of tokens.`);
  });
}

const isPair = (parts: unknown): parts is readonly [string, string] =>
  Array.isArray(parts) && parts.length === 2 && parts.every((part) => typeof part === 'string');

const isId = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value < 2 ** 31;

const ADDED = v.looseObject({
  id: v.custom<number>(isId),
  content: v.pipe(v.string(), v.nonEmpty()),
});

function readAdded(value: unknown, fail: Fail): readonly AddedToken[] {
  if (value == null) return [];
  if (!Array.isArray(value)) return fail('"added_tokens" is not a list.');
  return value.map((token: unknown) => {
    if (!v.is(ADDED, token))
      return fail(`"added_tokens" has ${JSON.stringify(token)}, which has no content or no id.`);
    return {
      id: token.id,
      content: token.content,
      special: token['special'] === true,
      singleWord: token['single_word'] === true,
      leftStrip: token['lstrip'] === true,
      rightStrip: token['rstrip'] === true,
      normalized: token['normalized'] === true,
    };
  });
}
