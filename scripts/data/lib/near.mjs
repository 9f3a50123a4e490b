/** Sets of word n-grams, as numbers, and what two of them share. */
const words = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

export function shingles(text, n) {
  const list = words(text);
  const out = new Set();
  for (let i = 0; i + n <= Math.max(n, list.length); i++) out.add(list.slice(i, i + n).join(' '));
  return out;
}

/** Pairs `[a, b, jaccard]` with an overlap of at least `threshold`, by an inverted index: exact, no sketch. */
export function similarPairs(sets, threshold) {
  const holders = new Map();
  const pairs = [];
  sets.forEach((set, b) => {
    const shared = new Map();
    for (const shingle of set) {
      for (const a of holders.get(shingle) ?? []) shared.set(a, (shared.get(a) ?? 0) + 1);
    }
    for (const [a, both] of shared) {
      const jaccard = both / (sets[a].size + set.size - both);
      if (jaccard >= threshold) pairs.push([a, b, jaccard]);
    }
    for (const shingle of set) {
      const list = holders.get(shingle);
      if (list === undefined) holders.set(shingle, [b]);
      else list.push(b);
    }
  });
  return pairs;
}

/** The items that are no near copy (word triples, `threshold`) of one before them. */
export function withoutNearCopies(items, textOf, threshold) {
  const copies = new Set();
  const pairs = similarPairs(
    items.map((item) => shingles(textOf(item), 3)),
    threshold,
  );
  for (const [a, b] of pairs) if (!copies.has(a)) copies.add(b);
  return items.filter((_, i) => !copies.has(i));
}
