/** Numbers of rows that need not be in memory: a file of pages, columns over it, and what grows in it block by block. */
import type { Pages } from '../../../language/ir/outputs.js';

type Numbers = Float64Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** What is held in memory at most, however many rows there are; what is more goes to a file. */
export interface RowMemory {
  /** Pages of each column. */
  readonly pages: number;
  /** Rows that are compared at once, and the keys of theirs that near copies are found by. */
  readonly rows: number;
  readonly keys: number;
  /** Groups that are put in order at once, and those of strata, which take more. */
  readonly groups: number;
  readonly strataGroups: number;
}

export const ROW_MEMORY: RowMemory = {
  pages: 256,
  rows: 1 << 17,
  keys: 1 << 21,
  groups: 1 << 17,
  strataGroups: 1 << 15,
};

/** Bytes of a row's numbers in the file: its columns, and what later rows are told apart from it by. */
const ROW_BYTES = { columns: 72, record: 48, key: 4 } as const;

/** What the file takes at most; `keys` that near copies are found by a row. */
export const scratchBytes = (rows: number, keys: number): number =>
  rows <= ROW_MEMORY.rows ? 0 : rows * (ROW_BYTES.columns + ROW_BYTES.record + ROW_BYTES.key * keys);

/** A file that is made when the first page has no room in memory. */
export class Scratch {
  private file: Pages | undefined;
  private size = 0;

  constructor(private readonly open: () => Pages) {}

  /** Bytes that are in the file. */
  get bytes(): number {
    return this.size;
  }

  /** Where the bytes are from now on. Throws a `UserError` on a full disk. */
  add(bytes: Uint8Array): number {
    const place = this.size;
    this.write(place, bytes);
    this.size += bytes.byteLength;
    return place;
  }

  write(place: number, bytes: Uint8Array): void {
    this.file ??= this.open();
    this.file.write(place, bytes);
  }

  read(place: number, into: Uint8Array): void {
    if (this.file === undefined) throw new RangeError('nothing was written');
    this.file.read(place, into);
  }

  close(): void {
    this.file?.close();
    this.file = undefined;
  }
}

const SHIFT = 10;
const PAGE = 1 << SHIFT;

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Rows whose columns are in memory. */
export const heldRows = (rows: number): number => Math.min(rows, ROW_MEMORY.pages * PAGE);

/** A number for each row: the pages used last are in memory. What was never set is `empty`, and takes no room. */
export class Column {
  /** Those in memory, by their number. */
  private readonly pages: (Numbers | undefined)[] = [];
  private readonly places: (number | undefined)[] = [];
  /** Those that differ from what the file has. */
  private readonly changed: boolean[] = [];
  /** Numbers of those in memory, the oldest at `oldest`. */
  private readonly held: number[] = [];
  private oldest = 0;

  constructor(
    private readonly scratch: Scratch,
    private readonly most: number,
    private readonly make: (length: number) => Numbers,
    private readonly empty = 0,
  ) {}

  get(row: number): number {
    const number = row >>> SHIFT;
    const page = this.pages[number] ?? this.load(number);
    return page === undefined ? this.empty : (page[row & (PAGE - 1)] as number);
  }

  set(row: number, value: number): void {
    const number = row >>> SHIFT;
    const page = this.pages[number] ?? this.load(number) ?? this.room(number).fill(this.empty);
    page[row & (PAGE - 1)] = value;
    this.changed[number] = true;
  }

  /** Of memory. */
  get bytes(): number {
    return this.pages.reduce((sum, page) => sum + (page?.byteLength ?? 0), 0);
  }

  /** A page from the file; `undefined` if it was never set. */
  private load(number: number): Numbers | undefined {
    const place = this.places[number];
    if (place === undefined) return undefined;
    const page = this.room(number);
    this.scratch.read(place, bytesOf(page));
    return page;
  }

  /** The memory of a page, which has been that of the oldest one where there are as many as there may be. */
  private room(number: number): Numbers {
    let page: Numbers | undefined;
    if (this.held.length < this.most) this.held.push(number);
    else {
      page = this.release(this.held[this.oldest] as number);
      this.held[this.oldest] = number;
      this.oldest = (this.oldest + 1) % this.most;
    }
    page ??= this.make(PAGE);
    this.pages[number] = page;
    return page;
  }

  private release(number: number): Numbers | undefined {
    const page = this.pages[number];
    this.pages[number] = undefined;
    if (page === undefined || this.changed[number] !== true) return page;
    const place = this.places[number];
    if (place === undefined) this.places[number] = this.scratch.add(bytesOf(page));
    else this.scratch.write(place, bytesOf(page));
    this.changed[number] = false;
    return page;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Texts of some rows: they wait in memory until a MiB has gathered. */
export class TextColumn {
  /** Of each text its place and its length, from 1. */
  private readonly place: Column;
  private readonly length: Column;
  private waiting: Uint8Array[] = [];
  private before = 0;
  private size = 0;
  /** Where pieces of {@link TextColumn.place}s are in the file: `from` is the place of their first byte among all texts. */
  private readonly pieces: { readonly from: number; readonly at: number }[] = [];

  constructor(
    private readonly scratch: Scratch,
    most: number,
  ) {
    this.place = new Column(scratch, most, doubles);
    this.length = new Column(scratch, most, integers);
  }

  set(row: number, text: string): void {
    const bytes = encoder.encode(text);
    this.place.set(row, this.size);
    this.length.set(row, bytes.length + 1);
    this.waiting.push(bytes);
    this.size += bytes.length;
    if (this.size - this.before >= PIECE) this.flush();
  }

  get(row: number): string | undefined {
    const length = this.length.get(row) - 1;
    if (length < 0) return undefined;
    const place = this.place.get(row);
    if (place >= this.before)
      return decoder.decode(this.tail().subarray(place - this.before, place - this.before + length));
    const piece = this.pieceWith(place);
    const bytes = new Uint8Array(length);
    this.scratch.read((piece?.at ?? 0) + place - (piece?.from ?? 0), bytes);
    return decoder.decode(bytes);
  }

  /** Of millions of rows, each would look through hundreds of pieces. */
  private pieceWith(place: number): { readonly from: number; readonly at: number } | undefined {
    let [low, high] = [0, this.pieces.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.pieces[middle]?.from ?? 0) <= place) low = middle;
      else high = middle - 1;
    }
    return this.pieces[low];
  }

  private tail(): Uint8Array {
    const [only] = this.waiting;
    if (only !== undefined && this.waiting.length === 1) return only;
    const joined = Buffer.concat(this.waiting);
    this.waiting = [joined];
    return joined;
  }

  private flush(): void {
    this.pieces.push({ from: this.before, at: this.scratch.add(this.tail()) });
    this.waiting = [];
    this.before = this.size;
  }
}

/** Bytes of texts that wait in memory. */
const PIECE = 1 << 20;

export const doubles = (length: number): Float64Array<ArrayBuffer> => new Float64Array(length);
export const integers = (length: number): Uint32Array<ArrayBuffer> => new Uint32Array(length);
export const bytes = (length: number): Uint8Array<ArrayBuffer> => new Uint8Array(length);
