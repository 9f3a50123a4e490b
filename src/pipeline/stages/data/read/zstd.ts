/**
 * Zstandard, as its library packs it: frames one after another, blocks in each, and often a checksum of what they hold (RFC 8878).
 * `fzstd` unpacks the blocks. What it leaves out is here: where a frame ends, how large a window may be, and whether what came
 * out is what was packed, by the size and the checksum that the frame names.
 */
import { Decompress } from 'fzstd';
import xxhash from 'xxhash-wasm';
import { UnpackError } from './unpack-error.js';

const MAGIC = 0xfd2fb528;
/** The last four bits are free. */
const SKIPPABLE = 0x184d2a50;
/** What `zstd -d` itself unpacks without `--long=31`. */
const LARGEST_WINDOW = 1 << 27;
/** Blocks are this long at most (RFC 8878, 3.1.1.2.4). */
const LONGEST_BLOCK = 1 << 17;
const CUT = 'it ends in the middle';

/** Size in bytes of the fields of a frame's header, by the two bits that tell. */
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;
const SIZE_BYTES = [0, 2, 4, 8] as const;

interface FrameHeader {
  readonly bytes: number;
  /** How far back a block may repeat what came out. */
  readonly window: number;
  /** Of the content, where the packer knew it. */
  readonly size: number | undefined;
  readonly hasChecksum: boolean;
}

/** `undefined`: more bytes are needed. Throws a {@link UnpackError}. */
function headerOf(bytes: Buffer): FrameHeader | undefined {
  const flags = bytes[4];
  if (flags === undefined) return undefined;
  if ((flags & 8) !== 0) throw new UnpackError('it is of a later format than zstd has today');
  const isSingle = (flags & 32) !== 0;
  const dictionary = DICTIONARY_BYTES[flags & 3] ?? 0;
  const sizeBytes = flags >> 6 === 0 && isSingle ? 1 : (SIZE_BYTES[flags >> 6] ?? 0);
  const dictionaryAt = isSingle ? 5 : 6;
  const sizeAt = dictionaryAt + dictionary;
  if (bytes.length < sizeAt + sizeBytes) return undefined;
  if (dictionary > 0 && bytes.readUIntLE(dictionaryAt, dictionary) > 0)
    throw new UnpackError('it was packed with a dictionary, which the file does not hold');
  const size = sizeBytes === 0 ? undefined : contentSize(bytes, sizeAt, sizeBytes);
  const window = isSingle ? (size ?? 0) : windowOf(bytes[5] ?? 0);
  if (window > LARGEST_WINDOW)
    throw new UnpackError(
      `unpacking it takes a window of ${Math.ceil(window / (1 << 20))} MiB, more than the ${LARGEST_WINDOW >> 20} that zstd itself reads without \`--long=31\``,
    );
  return { bytes: sizeAt + sizeBytes, window, size, hasChecksum: (flags & 4) !== 0 };
}

function contentSize(bytes: Buffer, at: number, length: number): number {
  if (length === 8) return Number(bytes.readBigUInt64LE(at));
  return bytes.readUIntLE(at, length) + (length === 2 ? 256 : 0);
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

type Hasher = Awaited<ReturnType<typeof xxhash>>['create64'];

/** What came out of a frame last, as far back as a block may repeat; it takes no more than there is. */
class History {
  private bytes = new Uint8Array(0);
  end = 0;

  constructor(private readonly window: number) {}

  add(piece: Uint8Array): void {
    if (this.end + piece.length > this.bytes.length) this.makeRoom(piece.length);
    this.bytes.set(piece, this.end);
    this.end += piece.length;
  }

  /** So much that all is moved once while a quarter of it comes out, not for each block. */
  private makeRoom(length: number): void {
    const kept = this.bytes.subarray(Math.max(0, this.end - this.window), this.end);
    const size = kept.length + Math.max(length, kept.length >> 2);
    if (size > this.bytes.length) {
      this.bytes = new Uint8Array(size);
      this.bytes.set(kept);
    } else this.bytes.copyWithin(0, this.end - kept.length, this.end);
    this.end = kept.length;
  }

  /** For `fzstd`, which counts back from `e` in `w`. */
  get place(): { readonly w: Uint8Array; readonly e: number } {
    return { w: this.bytes, e: this.end };
  }
}

/**
 * A header that names the least window: `fzstd` makes the window that a header names, be it 128 MiB for a byte, and moves all of it after
 * each block. It waits for as many bytes as the longest header has, so that this one has them all.
 */
const LEAST_HEADER = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xc3, ...Array(13).fill(0));

/** A frame that is being unpacked. */
class Frame {
  private readonly unpacked: Uint8Array[] = [];
  private readonly history: History;
  /** What `fzstd` knows from one block to the next. */
  private readonly state: object;
  private readonly hash: ReturnType<Hasher> | undefined;
  private size = 0;

  constructor(
    readonly header: FrameHeader,
    hasher: Hasher,
  ) {
    this.hash = header.hasChecksum ? hasher() : undefined;
    this.history = new History(header.window);
    const begun = new Decompress();
    begun.push(LEAST_HEADER);
    this.state = Object.assign((begun as unknown as { readonly s: object }).s, { m: LONGEST_BLOCK });
  }

  private readonly take = (piece: Uint8Array): void => {
    if (piece.length > 0) this.unpacked.push(piece);
    this.history.add(piece);
    // the window that is moved now
    Object.assign(this.state, { w: piece });
  };

  /** What comes out of the next block of the frame. */
  push(block: Uint8Array, isLast: boolean): readonly Uint8Array[] {
    const decompress = new Decompress(this.take);
    Object.assign(decompress, { s: Object.assign(this.state, this.history.place) });
    try {
      decompress.push(block, isLast);
    } catch (error) {
      throw new UnpackError(error instanceof Error ? error.message : String(error));
    }
    const pieces = this.unpacked.splice(0);
    for (const piece of pieces) {
      this.size += piece.length;
      this.hash?.update(piece);
    }
    return pieces;
  }

  /** `checksum`: the last four bytes, if the frame has them. */
  check(checksum: number | undefined): void {
    const { size = this.size } = this.header;
    const isWhole = this.hash === undefined || Number(this.hash.digest() & 0xffffffffn) === checksum;
    if (size !== this.size || !isWhole) throw new UnpackError('what comes out is not what was packed');
  }
}

/** Bytes of a file in pieces, unpacked; no more is held than a block and the window. Throws a {@link UnpackError}. */
export async function* unpackZstd(pieces: Iterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const { create64 } = await xxhash();
  const input = new Input(pieces);
  for (;;) {
    const magic = input.peek(4);
    if (magic.length === 0) return;
    if (magic.length < 4) throw new UnpackError(CUT);
    const number = magic.readUInt32LE();
    if ((number & 0xfffffff0) >>> 0 === SKIPPABLE) {
      input.take(4);
      input.skip(input.take(4).readUInt32LE());
    } else if (number === MAGIC) yield* unpackFrame(input, create64);
    else throw new UnpackError('something follows its last frame that is no other');
  }
}

/** The longest header of a frame, with its magic number. */
const HEADER = 18;
const [RUN, RESERVED] = [1, 3];

function* unpackFrame(input: Input, hasher: Hasher): Iterable<Uint8Array> {
  const header = headerOf(input.peek(HEADER));
  if (header === undefined) throw new UnpackError(CUT);
  const frame = new Frame(header, hasher);
  input.take(header.bytes);
  for (;;) {
    const start = input.take(3);
    const fields = start.readUIntLE(0, 3);
    const [isLast, type, size] = [(fields & 1) !== 0, (fields >> 1) & 3, fields >> 3];
    if (type === RESERVED || size > LONGEST_BLOCK) throw new UnpackError('one of its blocks is not valid');
    const block = Buffer.concat([start, input.take(type === RUN ? 1 : size)]);
    yield* frame.push(block, isLast);
    if (!isLast) continue;
    frame.check(header.hasChecksum ? input.take(4).readUInt32LE() : undefined);
    return;
  }
}

/** Bytes in pieces, of which some are asked for at a time. */
class Input {
  private readonly pieces: Iterator<Uint8Array>;
  private rest: Buffer = Buffer.alloc(0);

  constructor(pieces: Iterable<Uint8Array>) {
    this.pieces = pieces[Symbol.iterator]();
  }

  /** The next bytes, which stay; fewer where the file ends. */
  peek(length: number): Buffer {
    while (this.rest.length < length && this.next());
    return this.rest.subarray(0, length);
  }

  /** The next bytes. Throws a {@link UnpackError} where the file has fewer. */
  take(length: number): Buffer {
    const bytes = this.peek(length);
    if (bytes.length < length) throw new UnpackError(CUT);
    this.rest = this.rest.subarray(length);
    return bytes;
  }

  skip(length: number): void {
    let left = length;
    while (left > this.rest.length) {
      left -= this.rest.length;
      this.rest = Buffer.alloc(0);
      if (!this.next()) throw new UnpackError(CUT);
    }
    this.take(left);
  }

  private next(): boolean {
    const { done, value } = this.pieces.next();
    if (done === true) return false;
    const piece = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    this.rest = this.rest.length === 0 ? piece : Buffer.concat([this.rest, piece]);
    return true;
  }
}
