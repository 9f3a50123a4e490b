/** Hashes of the word triples of a text, ascending, each once; of a text of one or two words, that of all of them. */
export function tripleHashes(text: string): Uint32Array {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  if (words.length === 0) return new Uint32Array(0);
  const hashes = Uint32Array.from(words, hashWord);
  const count = Math.max(1, hashes.length - 2);
  const triples = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    let hash = 0x811c9dc5;
    for (let j = i; j < Math.min(i + 3, hashes.length); j++)
      hash = mix(Math.imul(hash, 31) ^ (hashes[j] ?? 0));
    triples[i] = hash;
  }
  triples.sort();
  let distinct = 0;
  for (let i = 0; i < count; i++)
    if (i === 0 || triples[i] !== triples[i - 1]) triples[distinct++] = triples[i] ?? 0;
  return triples.slice(0, distinct);
}

/** FNV-1a over UTF-16 code units. */
function hashWord(word: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return mix(hash);
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
