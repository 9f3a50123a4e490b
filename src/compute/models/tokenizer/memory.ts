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
 * Bytes of each token and merge while it is made of a GGUF file, also where the digest of its text is taken before, and of each token and
 * byte of a `tokenizer.json`. Measured beyond the process with SmolLM2's 49,152 tokens and 48,900 merges and Gemma 3's 262,144 and
 * 514,906, which are implied there: made of GGUF files 22 and 180 MiB, of files of 2.0 and 31.8 MiB 15 and 153.
 */
const MADE = { inGguf: { token: 217, merge: 256 }, inJson: { token: 167, byte: 3.5 } } as const;

/** Bytes of each token from then on: 11 and 52 MiB of the same, of files 12 and 44. */
const KEPT = 210;

/**
 * What there is to read: a vocabulary in a GGUF file, or a `tokenizer.json` of so many bytes, 0 where it is not there, for a model of so
 * many tokens, of which the tokenizer may have fewer.
 */
type TokenizerSource = VocabularySize | { readonly tokens: number; readonly bytes: number };

/**
 * Bytes that a token takes of a `tokenizer.json` with the merges: at least, with quotes and id alone, and usually: 43 of SmolLM2 and 46 of
 * Qwen 2.5 to 71 of Llama 3 and 127 of Gemma 3.
 */
const TOKEN_IN_JSON = { least: 16, usual: 70 } as const;

export function tokenizerMemory(source: TokenizerSource): TokenizerMemory {
  const { inGguf, inJson } = MADE;
  if ('merges' in source) {
    const { tokens, merges } = source;
    return { made: inGguf.token * tokens + inGguf.merge * merges, kept: keptTokenizer(tokens) };
  }
  const bytes = source.bytes === 0 ? TOKEN_IN_JSON.usual * source.tokens : source.bytes;
  const tokens = Math.min(source.tokens, bytes / TOKEN_IN_JSON.least);
  return { made: inJson.token * tokens + inJson.byte * bytes, kept: keptTokenizer(tokens) };
}

/** Bytes of one of so many tokens, once it is made. */
export const keptTokenizer = (tokens: number): number => KEPT * tokens;
