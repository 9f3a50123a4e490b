import type { Json } from '../json-file.js';
import { ModelError } from '../types.js';
import type { GgufHeader, GgufValue } from './header.js';

/** What `tokenizer.ggml.pre` stands for, as steps of a `tokenizer.json` (llama.cpp, `llama-vocab.cpp`). */
const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
const BYTES_ONLY = { ...BYTE_LEVEL, use_regex: false };
const LLAMA_3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

interface PreTokenizer {
  readonly step: Json;
  readonly ignoreMerges: boolean;
}

const PRE_TOKENIZERS: Readonly<Record<string, PreTokenizer>> = {
  smollm: { step: sequence({ type: 'Digits', individual_digits: true }, BYTE_LEVEL), ignoreMerges: false },
  'gpt-2': { step: BYTE_LEVEL, ignoreMerges: false },
  'llama-bpe': {
    step: sequence(
      { type: 'Split', pattern: { Regex: LLAMA_3 }, behavior: 'Isolated', invert: false },
      BYTES_ONLY,
    ),
    ignoreMerges: true,
  },
};

function sequence(...pretokenizers: readonly Json[]): Json {
  return { type: 'Sequence', pretokenizers };
}

/** Kinds of tokens in `tokenizer.ggml.token_type` that are cut out of the text. */
const CONTROL = 3;
const USER_DEFINED = 4;

const PLAIN = { single_word: false, lstrip: false, rstrip: false, normalized: false };

const BEGIN = 'tokenizer.ggml.bos_token_id';

/** Whether llama.cpp puts the begin token before a text of its own accord. */
export function ggufBegins({ values }: GgufHeader): boolean {
  const asked = values.get('tokenizer.ggml.add_bos_token');
  if (typeof asked === 'boolean') return asked;
  return values.get('tokenizer.ggml.pre') === 'llama-bpe';
}

/** The post-processor that puts a token before every text. */
function putsBefore(tokens: readonly string[], id: GgufValue | undefined): Json | null {
  const token = typeof id === 'number' ? tokens[id] : undefined;
  if (token === undefined) return null;
  const [a, b] = ['A', 'B'].map((sequence) => ({ Sequence: { id: sequence, type_id: 0 } }));
  const begin = { SpecialToken: { id: token, type_id: 0 } };
  return {
    type: 'TemplateProcessing',
    single: [begin, a],
    pair: [begin, a, begin, b],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}

/** The `tokenizer.json` that says what a GGUF file's vocabulary says. Throws a {@link ModelError} `model_tokenizer`. */
export function ggufTokenizerJson(header: GgufHeader): Json {
  const { path, values } = header;
  const fail = (detail: string): never => {
    throw new ModelError(
      'model_tokenizer',
      path,
      detail,
      'Use a GGUF file with a byte-level BPE vocabulary, or the model folder it was made from.',
    );
  };
  const strings = (key: string): readonly string[] => {
    const list = values.get(key);
    if (!Array.isArray(list)) return fail(`${key} is missing.`);
    return list.map((item) =>
      typeof item === 'string' ? item : fail(`${key} holds something else than texts.`),
    );
  };
  const model = values.get('tokenizer.ggml.model');
  if (model !== 'gpt2')
    return fail(`tokenizer.ggml.model is ${JSON.stringify(model ?? null)}; "gpt2" is supported.`);
  const name = values.get('tokenizer.ggml.pre');
  const pre =
    typeof name === 'string' && Object.hasOwn(PRE_TOKENIZERS, name) ? PRE_TOKENIZERS[name] : undefined;
  if (pre === undefined) {
    const known = Object.keys(PRE_TOKENIZERS).join(', ');
    return fail(`tokenizer.ggml.pre is ${JSON.stringify(name ?? null)}; known are ${known}.`);
  }
  const tokens = strings('tokenizer.ggml.tokens');
  const types = values.get('tokenizer.ggml.token_type');
  const typeOf = (id: number): unknown => (Array.isArray(types) ? types[id] : undefined);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: tokens.flatMap((content, id) =>
      content !== '' && (typeOf(id) === CONTROL || typeOf(id) === USER_DEFINED)
        ? [{ ...PLAIN, id, content, special: typeOf(id) === CONTROL }]
        : [],
    ),
    normalizer: null,
    pre_tokenizer: pre.step,
    post_processor: ggufBegins(header) ? putsBefore(tokens, values.get(BEGIN)) : null,
    decoder: BYTE_LEVEL,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: strings('tokenizer.ggml.merges'),
      ignore_merges: pre.ignoreMerges,
    },
  };
}
