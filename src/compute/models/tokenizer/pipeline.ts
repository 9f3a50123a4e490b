import type { PreTokenizer } from 'tokenizers';
import { isJson, type Json } from '../../../language/host/json.js';
import { loadLibrary } from '../../libraries/index.js';
import { checkSteps } from './steps.js';
import { tryPatterns } from './try-patterns.js';
import { type WordSplitter, wordSplitter } from './words.js';

/** The parts of a tokenizer that the Rust library does for us, synchronously: everything but the merges. */
export interface Pipeline {
  normalize(text: string): string;
  /** Words of a normalised stretch; `first` tells whether it opens the text. */
  split(text: string, first: boolean): readonly string[];
  decode(tokens: readonly string[]): string;
  /** As `split`, without the library, where that may be done. */
  readonly words?: WordSplitter;
}

/** Loads the library and the three steps as they are in a `tokenizer.json`. Throws what the library throws, or a `StepError`. */
export async function loadPipeline(steps: Json): Promise<Pipeline> {
  await tryPatterns(checkSteps(steps));
  const { Tokenizer } = await loadLibrary('tokenizers');
  const build = (json: Json) =>
    Tokenizer.fromString(
      JSON.stringify({
        version: '1.0',
        added_tokens: [],
        model: { type: 'BPE', vocab: {}, merges: [] },
        ...json,
      }),
    );
  const tokenizer = build(steps);
  const normalizer = tokenizer.getNormalizer();
  const first = tokenizer.getPreTokenizer();
  const decoder = tokenizer.getDecoder();
  const splitter = steps['pre_tokenizer'];
  const later = prependsAtStartOnly(splitter)
    ? build({ ...steps, pre_tokenizer: withoutPrefix(splitter) }).getPreTokenizer()
    : first;
  const words = wordSplitter(splitter, (text) => wordsOf(first, text));
  return {
    ...(words && { words }),
    normalize: (text) => normalizer?.normalizeString(text) ?? text,
    split: (text, isFirst) => wordsOf(isFirst ? first : later, text),
    decode: (tokens) => decoder?.decode([...tokens]) ?? tokens.join(' '),
  };
}

/** Without a step, a text is one word. */
const wordsOf = (step: PreTokenizer | null, text: string): readonly string[] =>
  step?.preTokenizeString(text).map(([word]) => word) ?? [text];

/** The library knows where in the text a stretch is; called on a stretch alone, it takes each for the first. */
const prependsAtStartOnly = (step: unknown): boolean =>
  JSON.stringify(step).includes('"prepend_scheme":"first"');

function withoutPrefix(step: unknown): unknown {
  if (Array.isArray(step)) return step.map(withoutPrefix);
  if (!isJson(step)) return step;
  const entries = Object.entries(step).map(([key, value]) =>
    key === 'prepend_scheme' && value === 'first' ? [key, 'never'] : [key, withoutPrefix(value)],
  );
  return Object.fromEntries(entries);
}
