/** What a tokenizer takes, by what it is made of; for plans and for what serves alike. */
import type { VocabularySize } from '../load.js';

/** Bytes beyond those of the process and of the library that cuts words, which the starter's small one has too. */
export interface TokenizerMemory {
  /** While it is made, at most. */
  readonly made: number;
  /** From then on. */
  readonly kept: number;
}

export const NO_TOKENIZER: TokenizerMemory = { made: 0, kept: 0 };

/**
 * Bytes of each token and merge while it is made of a GGUF file, of each of both where the text of its file is made as well, some 41
 * characters of two bytes that become UTF-8, and of each
 * token and byte of a `tokenizer.json`. Measured beyond the starter's, of 4,096 tokens, with SmolLM2's 49,152 tokens and 48,900 merges and
 * Gemma 3's 262,144 and 514,906, which are implied there: made of GGUF files 27 and 188 MiB, with the text 40 and 297; of files of 2.0
 * and 31.8 MiB 21 and 177.
 */
const MADE = { inGguf: { token: 390, merge: 190 }, text: 143, inJson: { token: 316, byte: 3.1 } } as const;

/** Bytes of each token from then on: 11 and 52 MiB of the same, of files 12 and 44. */
const KEPT = 210;

/**
 * What there is to read: a vocabulary in a GGUF file, or a `tokenizer.json` of so many bytes, 0 where it is not there, for a model of so
 * many tokens, of which the tokenizer may have fewer.
 */
type TokenizerSource = VocabularySize | { readonly tokens: number; readonly bytes: number };

/** Bytes that a token takes of a `tokenizer.json` at least, with quotes and id. */
const TOKEN_IN_JSON = 16;

/** `writesText`: the text of a `tokenizer.json` is made of a vocabulary first, as where its digest is asked for. */
export function tokenizerMemory(source: TokenizerSource, writesText = false): TokenizerMemory {
  const { inGguf, inJson, text } = MADE;
  if ('merges' in source) {
    const { tokens, merges } = source;
    const written = writesText ? text : 0;
    const made = (inGguf.token + written) * tokens + (inGguf.merge + written) * merges;
    return { made, kept: keptTokenizer(tokens) };
  }
  const { bytes } = source;
  const tokens = bytes === 0 ? source.tokens : Math.min(source.tokens, bytes / TOKEN_IN_JSON);
  return { made: inJson.token * tokens + inJson.byte * bytes, kept: keptTokenizer(tokens) };
}

/** Bytes of one of so many tokens, once it is made. */
export const keptTokenizer = (tokens: number): number => KEPT * tokens;
