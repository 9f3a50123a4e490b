import { GrowingArray } from '../growing-array.js';

/** Hashes of the word triples of a text, ascending, each once; of a text of one or two words, that of all of them. */
export function tripleHashes(text: string): Uint32Array {
  const hashes = wordHashes(text.toLowerCase());
  if (hashes.length === 0) return new Uint32Array(0);
  const count = Math.max(1, hashes.length - 2);
  const triples = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    let hash = FNV_OFFSET;
    for (let j = i; j < Math.min(i + 3, hashes.length); j++)
      hash = mix(Math.imul(hash, 31) ^ (hashes[j] ?? 0));
    triples[i] = hash;
  }
  triples.sort();
  let distinct = 0;
  for (let i = 0; i < count; i++)
    if (i === 0 || triples[i] !== triples[i - 1]) triples[distinct++] = triples[i] ?? 0;
  return triples.subarray(0, distinct);
}

const FNV_OFFSET = 0x811c9dc5;

/** FNV-1a over UTF-16 code units of each word. The words are never made: a row may have millions. */
function wordHashes(text: string): Uint32Array {
  const hashes = GrowingArray.integers();
  let hash = FNV_OFFSET;
  let inWord = false;
  const end = (): void => {
    if (inWord) hashes.push(mix(hash));
    hash = FNV_OFFSET;
    inWord = false;
  };
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const isPair = isSurrogate(unit);
    if (!isWordLike(isPair ? (text.codePointAt(i) ?? unit) : unit)) end();
    else {
      hash = Math.imul(hash ^ unit, 0x01000193);
      if (isPair) hash = Math.imul(hash ^ text.charCodeAt(++i), 0x01000193);
      inWord = true;
    }
  }
  end();
  return hashes.view();
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit < 0xe000;

/** Letters and digits, asked for once each: 0 if it has not been, 1 if it is one, 2 if it is not. */
const WORD_LIKE = new Uint8Array(0x110000);

function isWordLike(point: number): boolean {
  const known = WORD_LIKE[point];
  if (known !== 0) return known === 1;
  const found = /[\p{L}\p{N}]/u.test(String.fromCodePoint(point));
  WORD_LIKE[point] = found ? 1 : 2;
  return found;
}

/** The finaliser of MurmurHash3: every bit of the input moves every bit of the output. */
export function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Overlap of two sets of triples: what both have over what either has. */
export function jaccard(a: Uint32Array, b: Uint32Array): number {
  let [i, j, both] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const difference = (a[i] ?? 0) - (b[j] ?? 0);
    if (difference === 0) both++;
    if (difference <= 0) i++;
    if (difference >= 0) j++;
  }
  const either = a.length + b.length - both;
  return either === 0 ? 0 : both / either;
}
