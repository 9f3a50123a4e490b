/**
 * A file as it was when it was sealed: its size, its SHA-256, and, if it is larger than one chunk, a CRC-32 of each chunk.
 * SHA-256 tells whether a program has changed the file, and needs all of it. A disk that rots changes no time and asks
 * nobody, so what is read of a file is compared too, chunk by chunk: CRC-32 finds every flip of one or two bits in a
 * chunk, every run of up to 32, and anything else but once in four thousand million, for half of the time.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import * as v from 'valibot';
import { count, type JsonOf, positive, sha256, that } from './json.js';

/** Small enough that looking at a few bytes costs no more than reading one of these. */
const CHUNK_BYTES = 1 << 20;

const DIGITS = 8;

const checksums = that(
  (value): value is string => typeof value === 'string' && /^(?:[0-9a-f]{8})+$/.test(value),
  'checksums of eight hexadecimal digits each',
);

/** `crc32`: of one chunk after another; the last one may be shorter. */
const CHUNKS = v.object({ bytes: positive, crc32: checksums });

export const SEALED_FILE = v.object({ bytes: count, sha256, chunks: v.optional(CHUNKS) });
export type SealedFile = JsonOf<typeof SEALED_FILE>;

/** By name, `/` between folders. */
export type SealedFiles = Readonly<Record<string, SealedFile>>;

/** Gathers what is kept about a file from its bytes, as they come. */
export class FileSealer {
  private readonly hash = createHash('sha256');
  private readonly sums: string[] = [];
  private bytes = 0;
  private sum = 0;

  constructor(private readonly chunkBytes: number = CHUNK_BYTES) {}

  add(part: Uint8Array): void {
    for (let at = 0; at < part.byteLength; ) {
      const left = this.chunkBytes - (this.bytes % this.chunkBytes);
      const piece = part.subarray(at, at + left);
      this.hash.update(piece);
      this.sum = crc32(piece, this.sum);
      this.bytes += piece.byteLength;
      at += piece.byteLength;
      if (this.bytes % this.chunkBytes === 0) this.closeChunk();
    }
  }

  seal(): SealedFile {
    if (this.bytes % this.chunkBytes !== 0) this.closeChunk();
    const file = { bytes: this.bytes, sha256: this.hash.digest('hex') };
    return this.bytes <= this.chunkBytes
      ? file
      : { ...file, chunks: { bytes: this.chunkBytes, crc32: this.sums.join('') } };
  }

  private closeChunk(): void {
    this.sums.push(checksum(this.sum));
    this.sum = 0;
  }
}

const checksum = (sum: number): string => sum.toString(16).padStart(DIGITS, '0');

/** Whether bytes are what a chunk held, which is counted from 0. */
export const isChunk = (bytes: Uint8Array, chunks: SealedFile['chunks'], index: number): boolean =>
  chunks?.crc32.slice(DIGITS * index, DIGITS * (index + 1)) === checksum(crc32(bytes));

/** Where damage is, from one byte to before another, to go on after what it is; nothing where it is not known. */
export const placeOf = (range: readonly [number, number] | undefined): string =>
  range === undefined ? '' : ` (between bytes ${range[0]} and ${range[1]})`;
