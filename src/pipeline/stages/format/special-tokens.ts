import { isSpecial } from '../../../compute/models/turn-end.js';
import type { Tokenizer } from '../../../compute/models/types.js';

/** How special tokens look: `<|im_end|>`, `</s>`, `[INST]`. */
const LOOKS_SPECIAL = /<[^<>\s]{1,64}>|\[[^[\]\s]{1,64}\]/g;

/** Finds the special tokens that are in texts of a row, where they would open or end turns. */
export function specialFinder(tokenizer: Tokenizer): (texts: readonly string[]) => readonly string[] {
  const known = new Map<string, boolean>();
  const isToken = (text: string): boolean => {
    const id = tokenizer.idOf(text);
    if (id === undefined) return false;
    const found = known.get(text) ?? isSpecial(tokenizer, id);
    known.set(text, found);
    return found;
  };
  return (texts) => [...new Set(texts.flatMap((text) => text.match(LOOKS_SPECIAL) ?? []).filter(isToken))];
}
