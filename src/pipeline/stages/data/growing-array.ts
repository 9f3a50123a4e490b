type Numbers = Float64Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** Entries that there is room for at first; then for twice as many each time. */
export const FIRST_ROOM = 1024;

/** Entries of all the arrays that one of so many outgrew. */
export const outgrown = (entries: number): number =>
  FIRST_ROOM * (2 ** Math.max(0, Math.ceil(Math.log2(entries / FIRST_ROOM))) - 1);

/** A typed array that grows. */
export class GrowingArray<T extends Numbers> {
  private values: T;
  private used = 0;

  constructor(readonly make: (length: number) => T) {
    this.values = make(FIRST_ROOM);
  }

  static doubles = (): GrowingArray<Float64Array<ArrayBuffer>> =>
    new GrowingArray((length) => new Float64Array(length));
  static integers = (): GrowingArray<Uint32Array<ArrayBuffer>> =>
    new GrowingArray((length) => new Uint32Array(length));
  static bytes = (): GrowingArray<Uint8Array<ArrayBuffer>> =>
    new GrowingArray((length) => new Uint8Array(length));

  get length(): number {
    return this.used;
  }

  /** Of memory, whatever is in use. */
  get bytes(): number {
    return this.values.byteLength;
  }

  /** Room for so many in all, on the way to which it need not grow. */
  reserve(length: number): void {
    if (length <= this.values.length) return;
    const grown = this.make(length);
    grown.set(this.view());
    this.values = grown;
  }

  push(value: number): number {
    if (this.used === this.values.length) this.reserve(2 * this.used);
    this.values[this.used] = value;
    return this.used++;
  }

  get(index: number): number {
    return this.values[index] ?? 0;
  }

  set(index: number, value: number): void {
    this.values[index] = value;
  }

  add(index: number, value: number): void {
    this.values[index] = this.get(index) + value;
  }

  /** Keeps its memory. */
  clear(): void {
    this.used = 0;
  }

  view(): T {
    return this.values.subarray(0, this.used) as T;
  }
}
