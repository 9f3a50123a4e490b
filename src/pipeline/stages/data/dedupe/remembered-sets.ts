/** Sets of numbers under numbers, the newest ones, one after another in one array that is a ring. */
export class RememberedSets {
  /** Where each begins, the oldest first: at its length, and then its numbers. */
  private readonly places = new Map<number, number>();
  private ring = new Uint32Array(0);
  /** Where the next one begins. */
  private next = 0;

  /** `sets` at most, whose numbers and lengths are `numbers` at most. */
  constructor(
    private readonly sets: number,
    private readonly numbers: number,
  ) {}

  get size(): number {
    return this.places.size;
  }

  /** Good until another is added. */
  get(key: number): Uint32Array | undefined {
    const place = this.places.get(key);
    return place === undefined ? undefined : this.setAt(place);
  }

  /** A set that is not there yet; the oldest make room for it. */
  add(key: number, set: Uint32Array): void {
    const length = set.length + 1;
    if (length > this.numbers) return;
    if (this.places.size === this.sets) this.forget();
    const place = this.room(length);
    this.places.set(key, place);
    this.ring[place] = set.length;
    this.ring.set(set, place + 1);
    this.next = place + length;
  }

  private setAt(place: number): Uint32Array {
    return this.ring.subarray(place + 1, place + 1 + (this.ring[place] as number));
  }

  /** A place with so many numbers that no set has. */
  private room(length: number): number {
    for (;;) {
      const oldest = this.oldest();
      if (oldest === undefined || oldest < this.next) {
        if (this.next + length <= this.ring.length) return this.next;
        if (this.ring.length < this.numbers) this.grow(length);
        else if (oldest === undefined || length <= oldest) return 0;
        else this.forget();
      } else if (this.next + length <= oldest) return this.next;
      else this.forget();
    }
  }

  private oldest(): number | undefined {
    const [place] = this.places.values();
    return place;
  }

  private forget(): void {
    const [key] = this.places.keys();
    if (key !== undefined) this.places.delete(key);
  }

  /** Twice as long, while no set lies before an older one. */
  private grow(length: number): void {
    const grown = new Uint32Array(
      Math.min(this.numbers, Math.max(FIRST, 2 * this.ring.length, this.next + length)),
    );
    grown.set(this.ring.subarray(0, this.next));
    this.ring = grown;
  }
}

/** Numbers that there is room for at first. */
const FIRST = 1 << 14;
