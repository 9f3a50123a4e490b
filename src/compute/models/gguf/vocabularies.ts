/** Byte-level byte-pair vocabularies (`tokenizer.ggml.model` "gpt2") as steps of a `tokenizer.json`. */
import { isJson, type Json } from '../../../language/host/json.js';

const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
const BYTES_ONLY = { ...BYTE_LEVEL, use_regex: false };

const LLAMA_3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const QWEN_2 = LLAMA_3.replace('\\p{N}{1,3}', '\\p{N}');
const TEKKEN =
  '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+' +
  '|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*' +
  '|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

const GPT_4O = TEKKEN.replace('|[', "(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[").replace(
  '*|\\p{N}',
  "*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}",
);
const DEEPSEEK_3 =
  '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+' +
  '| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

/** Patterns of models in wide use. */
export const PATTERNS: readonly string[] = [LLAMA_3, QWEN_2, TEKKEN, GPT_4O, DEEPSEEK_3];
/** Those of them that leave no part of a text out. */
export const COVERING: readonly string[] = [LLAMA_3, QWEN_2, TEKKEN, GPT_4O];

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

const SPACE = '▁';

/** How the text around the pairs is treated, which a file does not say: a family does. */
interface PieceStyle {
  readonly normalizer: Json | null;
  readonly preTokenizer: Json | null;
  /** A space that was put before the text is taken away again. */
  readonly strips: boolean;
  /** Merges follow the places of their results, not their scores. */
  readonly byPlace: boolean;
  readonly unknown: boolean;
}

const REPLACE: Json = { type: 'Replace', pattern: { String: ' ' }, content: SPACE };

const GEMMA: PieceStyle = {
  normalizer: REPLACE,
  preTokenizer: {
    type: 'Split',
    pattern: { String: ' ' },
    behavior: 'MergedWithPrevious',
    invert: false,
  },
  strips: false,
  byPlace: true,
  unknown: true,
};

/** The prefix comes from a normaliser, so that it precedes every stretch between special tokens. */
const PHI_3: PieceStyle = {
  normalizer: { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: SPACE }, REPLACE] },
  preTokenizer: null,
  strips: true,
  byPlace: false,
  unknown: false,
};

/**
 * What puts a space before a text: a pre-tokenizer, before the first stretch between special tokens or before each that
 * has none.
 */
const llama = (scheme: 'never' | 'first' | 'always'): PieceStyle => ({
  normalizer: null,
  preTokenizer: { type: 'Metaspace', replacement: SPACE, prepend_scheme: scheme, split: false },
  strips: scheme !== 'never',
  byPlace: false,
  unknown: false,
});

const STYLES: Readonly<Record<string, PieceStyle>> = { gemma2: GEMMA, gemma3: GEMMA, phi3: PHI_3 };

/** A key of this program: how a vocabulary of pieces puts a space before texts, where llama.cpp's own key does not say it. */
export const SPACE_PREFIX = 'ftpc.tokenizer.space_prefix';

/** By the value of that key. */
const PREFIXES: Readonly<Record<string, PieceStyle>> = { always: llama('always'), each: PHI_3 };

const own = (table: Readonly<Record<string, PieceStyle>>, key: string): PieceStyle | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

export const pieceStyle = (architecture: string, prefix: boolean, how: string): PieceStyle =>
  own(STYLES, architecture) ?? own(PREFIXES, how) ?? llama(prefix ? 'first' : 'never');

/** The value of that key for a `tokenizer.json`; `undefined` where it needs none. */
export function spacePrefix(pipeline: Json): string | undefined {
  if (stepOf(pipeline['normalizer'], 'Prepend') !== undefined) return 'each';
  const step = stepOf(pipeline['pre_tokenizer'], 'Metaspace');
  return step !== undefined && (step['prepend_scheme'] ?? 'always') === 'always' ? 'always' : undefined;
}

/** The step of a type among those of a normaliser or pre-tokenizer. */
export function stepOf(step: unknown, type: string): Json | undefined {
  if (!isJson(step)) return undefined;
  if (step['type'] === type) return step;
  const inner = step['normalizers'] ?? step['pretokenizers'];
  if (!Array.isArray(inner)) return undefined;
  return inner.map((each) => stepOf(each, type)).find((found) => found !== undefined);
}

export const pieceDecoder = (style: PieceStyle): Json => ({
  type: 'Sequence',
  decoders: [
    { type: 'Replace', pattern: { String: SPACE }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    ...(style.strips ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
  ],
});

/** A token of several spaces is stored as spaces and looked for as what they become. */
export const respelled = (token: string): string =>
  /^ {2,}$/.test(token) ? SPACE.repeat(token.length) : token;

/**
 * The merges that a vocabulary implies: every cut of a token into two tokens, the best token first, of one token the
 * longest left part first (`generate_merges` of transformers). `score` is by id.
 */
export function impliedMerges(
  tokens: readonly string[],
  score: (id: number) => number,
): readonly (readonly [string, string])[] {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  // a vocabulary of 262,144 has half a million cuts: as numbers they take a fifth of what objects do
  const cuts: Cuts = { left: [], right: [], score: [], leftLength: [], rightLength: [] };
  for (const [token, id] of ids) addCuts(cuts, token, score(id), ids);
  const { left, right } = cuts;
  const order = Uint32Array.from(left.keys()).sort(
    (a, b) =>
      at(cuts.score, b) - at(cuts.score, a) ||
      at(cuts.leftLength, b) - at(cuts.leftLength, a) ||
      at(cuts.rightLength, b) - at(cuts.rightLength, a) ||
      a - b,
  );
  return Array.from(order, (cut) => [tokens[at(left, cut)] ?? '', tokens[at(right, cut)] ?? ''] as const);
}

/** Each cut's parts as ids, the score of the whole, and the lengths of the parts in characters. */
type Cuts = Readonly<Record<'left' | 'right' | 'score' | 'leftLength' | 'rightLength', number[]>>;

const at = (values: readonly number[], index: number): number => values[index] as number;

/** Adds the cuts of a token, in the order of the ids of their parts. */
function addCuts(cuts: Cuts, token: string, score: number, ids: ReadonlyMap<string, number>): void {
  const found: { readonly left: number; readonly right: number; readonly count: number }[] = [];
  const characters = [...token];
  let end = 0;
  for (let count = 1; count < characters.length; count++) {
    end += characters[count - 1]?.length ?? 0;
    const [left, right] = [ids.get(token.slice(0, end)), ids.get(token.slice(end))];
    if (left !== undefined && right !== undefined) found.push({ left, right, count });
  }
  for (const { left, right, count } of found.sort((a, b) => a.left - b.left || a.right - b.right)) {
    cuts.left.push(left);
    cuts.right.push(right);
    cuts.score.push(score);
    cuts.leftLength.push(count);
    cuts.rightLength.push(characters.length - count);
  }
}
