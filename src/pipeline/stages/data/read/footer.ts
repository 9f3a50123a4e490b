/**
 * The end of a Parquet file, which says how many rows it has and what they take unpacked: enough for a plan, without
 * reading the rows. Thrift's compact protocol (github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md)
 * over `FileMetaData` (github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift).
 */
import type { Host } from '../../../../language/host/host.js';

interface ParquetSize {
  readonly rows: number;
  /** Of all columns, unpacked. */
  readonly bytes: number;
}

/** Footer's length and the signature `PAR1`. */
const TAIL = 8;
/** A longer footer is not read for an estimate. */
const MOST = 16 << 20;

/**
 * Bytes of the footer with its length and signature, from the last bytes of a file; `undefined` if they are no footer,
 * or one that is too long to be read.
 */
export function footerLength(last: Uint8Array): number | undefined {
  const tail = last.subarray(-TAIL);
  if (tail.length < TAIL || Buffer.from(tail.subarray(4)).toString('latin1') !== 'PAR1') return undefined;
  const length = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true);
  return length > MOST ? undefined : length + TAIL;
}

/** `undefined` if the file has no footer that can be read; reading its rows says why. */
export function parquetSize(host: Host, path: string, size: number): ParquetSize | undefined {
  const length = footerLength(host.readBytes(path, Math.max(0, size - TAIL), TAIL));
  if (length === undefined || length > size) return undefined;
  try {
    const footer = new Compact(host.readBytes(path, size - length, length - TAIL)).struct();
    const [rows, groups] = [footer.get(3), footer.get(4)];
    if (typeof rows !== 'number' || !Array.isArray(groups)) return undefined;
    const bytes = groups.reduce(
      (sum: number, group) => sum + Number(group instanceof Map ? group.get(2) : 0),
      0,
    );
    return { rows, bytes };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

type Thrift = number | boolean | undefined | readonly Thrift[] | Fields;
type Fields = ReadonlyMap<number, Thrift>;

const DEEPEST = 32;

/** Reads values of the compact protocol; texts are passed over. Throws a `RangeError` if there are none. */
class Compact {
  private readonly view: DataView;
  private at = 0;
  private depth = 0;

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  struct(): Fields {
    const fields = new Map<number, Thrift>();
    let id = 0;
    for (let head = this.byte(); head !== 0; head = this.byte()) {
      id = head >> 4 === 0 ? this.number() : id + (head >> 4);
      fields.set(id, this.value(head & 15));
    }
    return fields;
  }

  private value(type: number): Thrift {
    if (++this.depth > DEEPEST) throw new RangeError('nested too deeply');
    const read = READERS[type];
    if (read === undefined) throw new RangeError(`no type ${type}`);
    const value = read(this);
    this.depth--;
    return value;
  }

  static readonly readers: Readonly<Record<number, (from: Compact) => Thrift>> = {
    1: () => true,
    2: () => false,
    3: (from) => from.byte(),
    4: (from) => from.number(),
    5: (from) => from.number(),
    6: (from) => from.number(),
    7: (from) => from.skip(8),
    8: (from) => from.skip(from.unsigned()),
    9: (from) => from.list(),
    10: (from) => from.list(),
    12: (from) => from.struct(),
  };

  private list(): readonly Thrift[] {
    const head = this.byte();
    const size = head >> 4 === 15 ? this.unsigned() : head >> 4;
    const values: Thrift[] = [];
    // each value takes a byte at least, so that a false size ends with the bytes
    for (let i = 0; i < size; i++) values.push((head & 15) <= 2 ? this.byte() === 1 : this.value(head & 15));
    return values;
  }

  private byte(): number {
    return this.view.getUint8(this.at++);
  }

  private skip(count: number): undefined {
    this.at += count;
    if (this.at > this.view.byteLength) throw new RangeError('ends within a value');
    return undefined;
  }

  private unsigned(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  /** Zigzag: whole numbers up to 2⁵³ exactly. */
  private number(): number {
    const value = this.unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

const READERS = Compact.readers;
