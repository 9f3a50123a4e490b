/** The UTF-8 bytes of single tokens, which may be parts of a character. */
import { BYTE_CHARACTERS } from '../models/tokenizer/byte-characters.js';
import { isSpecial } from '../models/turn-end.js';
import type { Tokenizer } from '../models/types.js';

/** How the tokens of a vocabulary spell bytes: GPT-2's characters, `<0x0A>` next to plain text, or plain text alone. */
type Spelling = 'byte_level' | 'byte_fallback' | 'raw';

/** Told by tokens that only vocabularies of that spelling have. */
export function spellingOf({ idOf }: Pick<Tokenizer, 'idOf'>): Spelling {
  if (idOf('<0x0A>') !== undefined) return 'byte_fallback';
  return idOf('Ġ') !== undefined || idOf('Ċ') !== undefined ? 'byte_level' : 'raw';
}

/** GPT-2's characters of bytes. */
const BYTES: ReadonlyMap<string, number> = new Map(
  BYTE_CHARACTERS.map((character, byte) => [character, byte]),
);

const FALLBACK = /^<0x([0-9A-Fa-f]{2})>$/;

/** A function from ids to bytes; an id without a token has none. */
export function tokenBytes(tokenizer: Tokenizer): (id: number) => Uint8Array<ArrayBuffer> {
  const plain = plainBytes(tokenizer);
  return (id) => {
    const token = tokenizer.tokenOf(id);
    return token !== undefined && isSpecial(tokenizer, id) ? utf8(token) : plain(id);
  };
}

const utf8 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, 'utf8'));

/** The same for tokens of texts, without the special ones. */
export function plainBytes(tokenizer: Tokenizer): (id: number) => Uint8Array<ArrayBuffer> {
  const spelling = spellingOf(tokenizer);
  return (id) => {
    const token = tokenizer.tokenOf(id);
    if (token === undefined) return new Uint8Array(0);
    if (spelling === 'byte_level') {
      const bytes = Array.from(token, (character) => BYTES.get(character));
      return bytes.includes(undefined) ? utf8(token) : Uint8Array.from(bytes as number[]);
    }
    const byte = FALLBACK.exec(token)?.[1];
    if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
    return utf8(spelling === 'byte_fallback' ? token.replaceAll('▁', ' ') : tokenizer.decode([id]));
  };
}
