/** Numbers that are allocated at once: a set is not remembered that has as many. */
export const CHUNK = 1 << 18;

/** Sets of numbers under numbers, the newest ones, one after another in memory that later ones take: none is an object of its own. */
export class RememberedSets {
  /** Where each begins, the oldest first: at its length, and then its numbers. */
  private readonly places = new Map<number, number>();
  /** By their number; they are numbered on. */
  private readonly chunks = new Map<number, Uint32Array>();
  private readonly spare: Uint32Array[] = [];
  /** Where the next one begins. */
  private next = 0;

  /** `sets` at most, in chunks of which there are `most`. */
  constructor(
    private readonly sets: number,
    private readonly most: number,
  ) {}

  get size(): number {
    return this.places.size;
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
    this.places.set(key, this.next);
    this.next += set.length + 1;
  }

  private makeRoom(): void {
    const least = chunkOf(this.next) - this.most + 1;
    for (const [key, place] of this.places) {
      if (this.places.size < this.sets && chunkOf(place) >= least) break;
      this.places.delete(key);
    }
    const [oldest = this.next] = this.places.values();
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
