/** What a file is by its first bytes, where it says so. */

interface FileKind {
  readonly name: string;
  /** What to do with it. */
  readonly help: string;
}

interface Signature extends FileKind {
  readonly bytes: readonly number[];
}

const text = (characters: string): readonly number[] => [...Buffer.from(characters, 'latin1')];

const UNPACK = 'decompress it first; only gzip can be read directly';
const CONVERT = 'convert it to JSON lines, CSV or Parquet';

const SIGNATURES: readonly Signature[] = [
  { name: 'Parquet', bytes: text('PAR1'), help: 'read it with `parquet("…")`' },
  { name: 'Arrow', bytes: text('ARROW1'), help: CONVERT },
  { name: 'SQLite', bytes: text('SQLite format 3'), help: CONVERT },
  { name: 'PDF', bytes: text('%PDF-'), help: CONVERT },
  { name: 'zip', bytes: text('PK\u0003\u0004'), help: UNPACK },
  { name: 'zstd', bytes: [0x28, 0xb5, 0x2f, 0xfd], help: UNPACK },
  { name: 'xz', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a], help: UNPACK },
  { name: 'bzip2', bytes: text('BZh'), help: UNPACK },
  { name: 'UTF-16', bytes: [0xff, 0xfe], help: 'convert it to UTF-8' },
  { name: 'UTF-16', bytes: [0xfe, 0xff], help: 'convert it to UTF-8' },
];

const GZIP = [0x1f, 0x8b];

const begins = (start: Uint8Array, bytes: readonly number[]): boolean =>
  bytes.every((byte, index) => start[index] === byte);

export const isGzip = (start: Uint8Array): boolean => begins(start, GZIP);

/** `undefined` for what may be text, packed with gzip or not. */
export const kindOf = (start: Uint8Array): FileKind | undefined =>
  SIGNATURES.find(({ bytes }) => begins(start, bytes));
