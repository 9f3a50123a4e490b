/** Numbers that are allocated at once: a set is not remembered that has as many. */
export const CHUNK = 1 << 18;

/** Sets of numbers under numbers, the newest ones, one after another in memory that later ones take: none is an object of its own. */
export class RememberedSets {
  /** Where each begins: at its length, and then its numbers. */
  private readonly places: Places;
  /** By their number; they are numbered on. */
  private readonly chunks = new Map<number, Uint32Array>();
  private readonly spare: Uint32Array[] = [];
  /** Where the next one begins. */
  private next = 0;

  /** `sets` at most, in chunks of which there are `most`. */
  constructor(
    sets: number,
    private readonly most: number,
  ) {
    this.places = new Places(sets);
  }

  get size(): number {
    return this.places.count;
  }

  /** Good until another is added. */
  get(key: number): Uint32Array | undefined {
    const place = this.places.get(key);
    if (place === undefined) return undefined;
    const from = place % CHUNK;
    const chunk = this.chunks.get(chunkOf(place));
    return chunk?.subarray(from + 1, from + 1 + (chunk[from] as number));
  }

  /** A set that is not there yet; the oldest make room for it. */
  add(key: number, set: Uint32Array): void {
    if (set.length >= CHUNK) return;
    if ((this.next % CHUNK) + set.length >= CHUNK) this.next = CHUNK * (chunkOf(this.next) + 1);
    this.makeRoom();
    const from = this.next % CHUNK;
    const chunk = this.chunk(chunkOf(this.next));
    chunk[from] = set.length;
    chunk.set(set, from + 1);
    this.places.add(key, this.next);
    this.next += set.length + 1;
  }

  private makeRoom(): void {
    const least = chunkOf(this.next) - this.most + 1;
    const { places } = this;
    while (places.isFull || (places.oldest !== undefined && chunkOf(places.oldest) < least)) places.forget();
    const oldest = places.oldest ?? this.next;
    for (const [number, chunk] of this.chunks) {
      if (number >= chunkOf(oldest)) break;
      this.chunks.delete(number);
      this.spare.push(chunk);
    }
  }

  private chunk(number: number): Uint32Array {
    const chunk = this.chunks.get(number) ?? this.spare.pop() ?? new Uint32Array(CHUNK);
    this.chunks.set(number, chunk);
    return chunk;
  }
}

const chunkOf = (place: number): number => Math.floor(place / CHUNK);

/**
 * Where sets are, under their numbers, in tables that are made once: a `Map` of which the oldest are deleted is made again every so many
 * that are added, and what it was is collected late.
 */
class Places {
  count = 0;
  private first = 0;
  /** In a ring, the oldest first. */
  private readonly keys: Float64Array;
  private readonly places: Float64Array;
  /** Where in the ring a number is, and one more, at the first free place from its own on. */
  private readonly table: Uint32Array;
  private readonly mask: number;

  constructor(private readonly most: number) {
    const size = 2 ** Math.ceil(Math.log2(2 * most + 1));
    this.keys = new Float64Array(most);
    this.places = new Float64Array(most);
    this.table = new Uint32Array(size);
    this.mask = size - 1;
  }

  get isFull(): boolean {
    return this.count === this.most;
  }

  get oldest(): number | undefined {
    return this.count === 0 ? undefined : this.places[this.first];
  }

  get(key: number): number | undefined {
    const found = this.table[this.find(key)] as number;
    return found === 0 ? undefined : this.places[found - 1];
  }

  /** A number that is not there, where there is room. */
  add(key: number, place: number): void {
    const at = (this.first + this.count++) % this.most;
    this.keys[at] = key;
    this.places[at] = place;
    this.table[this.find(key)] = at + 1;
  }

  /** The oldest; those that it was in the way of move up. */
  forget(): void {
    const { table, mask } = this;
    let free = this.find(this.keys[this.first] as number);
    for (let at = (free + 1) & mask; table[at] !== 0; at = (at + 1) & mask) {
      const own = this.ownOf(this.keys[(table[at] as number) - 1] as number);
      if (((at - own) & mask) < ((at - free) & mask)) continue;
      table[free] = table[at] as number;
      free = at;
    }
    table[free] = 0;
    this.first = (this.first + 1) % this.most;
    this.count--;
  }

  /** Where in the table it is, or would be. */
  private find(key: number): number {
    const { table, mask, keys } = this;
    let at = this.ownOf(key);
    while (table[at] !== 0 && keys[(table[at] as number) - 1] !== key) at = (at + 1) & mask;
    return at;
  }

  private ownOf(key: number): number {
    const mixed = Math.imul(key, 0x9e3779b1);
    return (mixed ^ (mixed >>> 15)) & this.mask;
  }
}
