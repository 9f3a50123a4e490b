/** Byte-level byte-pair vocabularies (`tokenizer.ggml.model` "gpt2") as steps of a `tokenizer.json`. */
import type { Json } from '../../../language/host/json.js';

const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
const BYTES_ONLY = { ...BYTE_LEVEL, use_regex: false };

const LLAMA_3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const QWEN_2 = LLAMA_3.replace('\\p{N}{1,3}', '\\p{N}');
const TEKKEN =
  '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+' +
  '|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*' +
  '|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

export interface PreTokenizer {
  readonly step: Json;
  readonly normalizer?: Json;
  /** A word that is in the vocabulary is taken whole. */
  readonly ignoreMerges?: boolean;
  /** A text begins with the begin token where the file does not say otherwise. */
  readonly begins?: boolean;
}

const sequence = (...pretokenizers: readonly Json[]): Json => ({ type: 'Sequence', pretokenizers });

const splitBy = (pattern: string): Json =>
  sequence({ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false }, BYTES_ONLY);

const GPT_2: PreTokenizer = { step: BYTE_LEVEL };
const SINGLE_DIGITS: PreTokenizer = {
  step: sequence({ type: 'Digits', individual_digits: true }, BYTE_LEVEL),
};
const LLAMA: PreTokenizer = { step: splitBy(LLAMA_3), ignoreMerges: true, begins: true };

/**
 * What `tokenizer.ggml.pre` stands for (llama.cpp, `llama-vocab.cpp`), as the models' own `tokenizer.json` have it.
 * transformers, which builds a tokenizer from the file too, leaves out the single digits and Qwen's normaliser.
 */
export const PRE_TOKENIZERS: Readonly<Record<string, PreTokenizer>> = {
  'gpt-2': GPT_2,
  olmo: GPT_2,
  'phi-2': GPT_2,
  smollm: SINGLE_DIGITS,
  starcoder: SINGLE_DIGITS,
  'llama-bpe': LLAMA,
  llama3: LLAMA,
  'llama-v3': LLAMA,
  'smaug-bpe': { step: splitBy(LLAMA_3) },
  qwen2: { step: splitBy(QWEN_2), normalizer: { type: 'NFC' } },
  'deepseek-r1-qwen': { step: splitBy(QWEN_2), normalizer: { type: 'NFC' } },
  tekken: { step: splitBy(TEKKEN), ignoreMerges: true },
};

export const BYTE_LEVEL_DECODER: Json = BYTE_LEVEL;
