/** Bytes that are gathered in memory which those of the next time take: it grows, and is not made again. */
export class ReusedBytes {
  private room: Uint8Array<ArrayBuffer>;
  private used = 0;

  /** `buffer`: the first memory, which may have served others. */
  constructor(buffer: ArrayBuffer) {
    this.room = new Uint8Array(buffer);
  }

  get buffer(): ArrayBuffer {
    return this.room.buffer;
  }

  get length(): number {
    return this.used;
  }

  /** So many more, to be filled at once. */
  more(bytes: number): Uint8Array<ArrayBuffer> {
    this.reserve(bytes);
    const from = this.used;
    this.used += bytes;
    return this.room.subarray(from, this.used);
  }

  add(bytes: Uint8Array): void {
    this.more(bytes.length).set(bytes);
  }

  /** As UTF-8; how many bytes that are. */
  addText(text: string): number {
    this.reserve(MOST_OF_UNIT * text.length);
    const bytes = encoder.encodeInto(text, this.room.subarray(this.used)).written;
    this.used += bytes;
    return bytes;
  }

  /** What was gathered, until more is. */
  view(): Uint8Array<ArrayBuffer> {
    return this.room.subarray(0, this.used);
  }

  clear(): void {
    this.used = 0;
  }

  private reserve(bytes: number): void {
    const end = this.used + bytes;
    if (end <= this.room.length) return;
    const grown = new Uint8Array(Math.max(end, 2 * this.room.length));
    grown.set(this.view());
    this.room = grown;
  }
}

const encoder = new TextEncoder();
/** Bytes of UTF-8 that a unit of a string becomes at most. */
const MOST_OF_UNIT = 3;
