/** What a tokenizer takes, by what it is made of. */
import type { VocabularySize } from '../../../compute/models/load.js';
import { TOKENIZER } from './calibration.js';

/** Bytes beyond those of the process and of the library that cuts words, which the starter's small one has too. */
export interface TokenizerMemory {
  /** While it is made, at most. */
  readonly made: number;
  /** From then on. */
  readonly kept: number;
}

export const NO_TOKENIZER: TokenizerMemory = { made: 0, kept: 0 };

/** What there is to read: a vocabulary in a GGUF file, or a `tokenizer.json` of so many bytes for so many tokens. */
type TokenizerSource = VocabularySize | { readonly tokens: number; readonly bytes: number };

/** `writesText`: the text of a `tokenizer.json` is made of a vocabulary first, as where its digest is asked for. */
export function tokenizerMemory(source: TokenizerSource, writesText = false): TokenizerMemory {
  const { inGguf, inJson, text, kept } = TOKENIZER;
  const made =
    'merges' in source
      ? (inGguf.token + (writesText ? text : 0)) * source.tokens + inGguf.merge * source.merges
      : inJson.token * source.tokens + inJson.byte * source.bytes;
  return { made, kept: kept * source.tokens };
}
