import type { BpeModel } from './file.js';

/** Turns one pre-tokenised word into ids. */
export type WordEncoder = (word: string) => readonly number[];

/** A merge whose parts or whole the vocabulary lacks. */
export class MergeError extends Error {
  override readonly name = 'MergeError';
}

const CACHED_WORDS = 50_000;
const CACHED_LENGTH = 256;

/**
 * Byte-pair encoding as the Rust library does it (huggingface/tokenizers, `models/bpe`): the merge of the lowest rank
 * first, the leftmost of equals. The library's Node binding runs its model on another thread only, so that every text
 * would cost a promise; a word's merges are a few look-ups, and words repeat.
 * Throws a {@link MergeError} for a broken list of merges.
 */
export function bpeEncoder(model: BpeModel): WordEncoder {
  const split = symbolSplitter(model);
  const merge = merger(model);
  // what is returned does not hold the list of merges
  const { ignoreMerges, vocab } = model;
  return (word) => {
    const whole = ignoreMerges ? vocab.get(word) : undefined;
    return whole === undefined ? merge(split(word)) : [whole];
  };
}

/** Words repeat. */
export function remembering(encode: WordEncoder): WordEncoder {
  const cache = new Map<string, readonly number[]>();
  return (word) => {
    const cached = cache.get(word);
    if (cached !== undefined) return cached;
    const ids = encode(word);
    if (word.length <= CACHED_LENGTH) {
      if (cache.size >= CACHED_WORDS) cache.clear();
      cache.set(word, ids);
    }
    return ids;
  };
}

/** Ids of a word's characters, those of its bytes, or the unknown token's; a character that has none is dropped. */
function symbolSplitter(model: BpeModel): (word: string) => number[] {
  const { vocab, byteFallback, fuseUnknown } = model;
  const unknown = model.unknown === null ? undefined : vocab.get(model.unknown);
  return (word) => {
    const ids: number[] = [];
    let afterUnknown = false;
    for (const character of word) {
      const id = vocab.get(character);
      const found = id === undefined ? (byteFallback ? bytesOf(character, vocab) : undefined) : [id];
      if (found !== undefined) ids.push(...found);
      else if (unknown !== undefined && !(afterUnknown && fuseUnknown)) ids.push(unknown);
      afterUnknown = found === undefined;
    }
    return ids;
  };
}

/** `<0xE2><0x82><0xAC>`, where the vocabulary has every one of them. */
function bytesOf(character: string, vocab: ReadonlyMap<string, number>): readonly number[] | undefined {
  const ids: number[] = [];
  for (const byte of new TextEncoder().encode(character)) {
    const id = vocab.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    if (id === undefined) return undefined;
    ids.push(id);
  }
  return ids;
}

function merger(model: BpeModel): (ids: number[]) => readonly number[] {
  const pairs = mergeTable(model);
  return (ids) => {
    const next = ids.map((_, i) => (i + 1 < ids.length ? i + 1 : -1));
    const previous = ids.map((_, i) => i - 1);
    const queue = new MergeQueue();
    const offer = (left: number): void => {
      const right = next[left] as number;
      if (right < 0) return;
      const merge = pairs(ids[left] as number, ids[right] as number);
      if (merge !== undefined) queue.push(merge.rank, left, merge.id);
    };
    for (let at = 0; at < ids.length; at++) offer(at);
    for (let top = queue.pop(); top !== undefined; top = queue.pop()) {
      const { at, id } = top;
      const right = next[at] as number;
      // A removed symbol, the last one, or a pair that has changed since it was queued.
      if ((ids[at] as number) < 0 || right < 0) continue;
      if (pairs(ids[at] as number, ids[right] as number)?.id !== id) continue;
      ids[at] = id;
      ids[right] = -1;
      next[at] = next[right] as number;
      if ((next[at] as number) >= 0) previous[next[at] as number] = at;
      if ((previous[at] as number) >= 0) offer(previous[at] as number);
      offer(at);
    }
    return ids.filter((id) => id >= 0);
  };
}

function mergeTable({
  vocab,
  merges,
}: BpeModel): (left: number, right: number) => Omit<QueuedMerge, 'at'> | undefined {
  let base = 1;
  for (const id of vocab.values()) base = Math.max(base, id + 1);
  if (base > 2 ** 26) throw new MergeError(`the ids reach ${base}`);
  const ranks = new PairRanks(merges.length, base);
  const ids = new Int32Array(merges.length);
  merges.forEach(([left, right], rank) => {
    const [a, b, id] = [vocab.get(left), vocab.get(right), vocab.get(left + right)];
    if (a === undefined || b === undefined || id === undefined) {
      throw new MergeError(`merge ${rank} joins tokens that the vocabulary lacks`);
    }
    ranks.set(a, b, rank);
    ids[rank] = id;
  });
  return (left, right) => {
    const rank = ranks.get(left, right);
    return rank === undefined ? undefined : { rank, id: ids[rank] as number };
  };
}

/** Ranks of pairs of ids, which are less than `base`, in a third of the memory of a `Map`: half a million are 12 MiB. */
class PairRanks {
  private readonly mask: number;
  /** Each pair as a number and one more, at the first place that was free from its own on. */
  private readonly pairs: Float64Array;
  private readonly ranks: Int32Array;

  constructor(
    count: number,
    private readonly base: number,
  ) {
    const places = 2 ** Math.ceil(Math.log2(1.5 * count + 1));
    this.mask = places - 1;
    this.pairs = new Float64Array(places);
    this.ranks = new Int32Array(places);
  }

  /** Of a pair that is there, it takes the place of the rank before. */
  set(left: number, right: number, rank: number): void {
    const place = this.placeOf(left, right);
    this.pairs[place] = left * this.base + right + 1;
    this.ranks[place] = rank;
  }

  get(left: number, right: number): number | undefined {
    const place = this.placeOf(left, right);
    return this.pairs[place] === 0 ? undefined : this.ranks[place];
  }

  private placeOf(left: number, right: number): number {
    const pair = left * this.base + right + 1;
    const mixed = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    let place = (mixed ^ (mixed >>> 15)) & this.mask;
    while (this.pairs[place] !== 0 && this.pairs[place] !== pair) place = (place + 1) & this.mask;
    return place;
  }
}

interface QueuedMerge {
  readonly rank: number;
  readonly at: number;
  readonly id: number;
}

/** A binary heap: the lowest rank first, the leftmost of equals. */
class MergeQueue {
  private readonly items: QueuedMerge[] = [];

  push(rank: number, at: number, id: number): void {
    const items = this.items;
    const item = { rank, at, id };
    let place = items.length;
    items.push(item);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = items[parent] as QueuedMerge;
      if (!before(item, above)) break;
      items[place] = above;
      place = parent;
    }
    items[place] = item;
  }

  pop(): QueuedMerge | undefined {
    const items = this.items;
    const top = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return top;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1] as QueuedMerge, items[child] as QueuedMerge))
        child++;
      if (!before(items[child] as QueuedMerge, last)) break;
      items[place] = items[child] as QueuedMerge;
      place = child;
    }
    items[place] = last;
    return top;
  }
}

const before = (a: QueuedMerge, b: QueuedMerge): boolean =>
  a.rank < b.rank || (a.rank === b.rank && a.at < b.at);
