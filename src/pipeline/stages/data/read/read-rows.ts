/** Every form of file that rows are read from, by the function of `std/data` that names it. */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { brokenFile, otherFormat } from '../../../../language/diagnostics/catalogue/files.js';
import { UserError } from '../../../../language/diagnostics/types.js';
import { type Host, HostError } from '../../../../language/host/host.js';
import type { Value } from '../../../../language/ir/program.js';
import {
  EVERY_ROW,
  isSampled,
  type Line,
  LineSplitter,
  type Sample,
  type Splitter,
  windowsOf,
} from '../file-lines.js';
import { CsvSplitter, DELIMITERS } from './csv.js';
import { parquetSize } from './footer.js';
import { ListSplitter } from './json-list.js';
import { parquetRows } from './parquet.js';
import { type SyntheticOptions, syntheticRows } from './synthetic.js';
import { type DocumentsBy, textSplitter } from './text-splitters.js';

export type RowFormat = 'jsonl' | 'json' | 'csv' | 'text' | 'parquet' | 'synthetic';

export interface RowFile {
  readonly path: string;
  /** As reports show it. */
  readonly name: string;
  readonly format: RowFormat;
  /** Arguments of the call that names the file. */
  readonly args: Readonly<Record<string, Value>>;
}

type MakeSplitter = (file: RowFile) => Splitter;

/** Files that are cut into rows as they are read. */
const SPLITTERS: Readonly<Record<Exclude<RowFormat, 'parquet' | 'synthetic'>, MakeSplitter>> = {
  jsonl: () => new LineSplitter(),
  json: ({ name, args }) =>
    new ListSplitter(name, typeof args['field'] === 'string' ? args['field'] : undefined),
  csv: ({ name, args }) => new CsvSplitter(name, DELIMITERS[String(args['delimiter'])] ?? ','),
  text: ({ args }) => textSplitter((args['by'] ?? 'document') as DocumentsBy),
};

/**
 * The rows of a file in their order, or a sample of them, some at a time; those of one batch are
 * good until the next is asked for. Throws a `HostError`, and a `UserError` if the file has another format.
 */
export async function* rowsOf(
  file: RowFile,
  host: Host,
  sample: Sample = EVERY_ROW,
): AsyncIterable<readonly Line[]> {
  const { format } = file;
  if (format === 'synthetic') {
    yield* syntheticRows(syntheticOptions(file), sample);
    return;
  }
  checkKind(file, host);
  if (format === 'parquet') {
    yield* parquetRows(file.path, file.name, sample);
    return;
  }
  const splitter = SPLITTERS[format](file);
  let next = 0;
  const taken = (lines: readonly Line[]): readonly Line[] =>
    sample === EVERY_ROW ? lines : lines.filter(() => isSampled(sample, next++));
  for await (const bytes of unpacked(file, host)) yield taken(splitter.push(bytes));
  yield taken(splitter.end());
}

/** Rows of a file where that is known without reading them. */
export function knownRows(file: RowFile, host: Host): number | undefined {
  if (file.format === 'synthetic') return syntheticOptions(file).rows;
  if (file.format !== 'parquet') return undefined;
  return parquetSize(host, file.path, host.stat(file.path)?.size ?? 0)?.rows;
}

function syntheticOptions({ args }: RowFile): SyntheticOptions {
  const number = (name: string): number => Number(args[name]);
  return {
    rows: number('rows'),
    length: number('length'),
    vocabulary: number('vocabulary'),
    seed: number('seed'),
  };
}

/** Cuts a file that begins so; `undefined` if its bytes are not its rows. */
export const splitterOf = (file: RowFile, start: Uint8Array): Splitter | undefined =>
  file.format === 'parquet' || file.format === 'synthetic' || isGzip(start)
    ? undefined
    : SPLITTERS[file.format](file);

/** Whether rows can be read again from their place in the file itself. */
export const isDirect = (file: RowFile, host: Host): boolean =>
  (file.format === 'jsonl' || file.format === 'json') && !isGzip(startOf(file, host));

const startOf = ({ path }: RowFile, host: Host): Uint8Array => host.readBytes(path, 0, 16);

function checkKind(file: RowFile, host: Host): void {
  const kind = kindOf(startOf(file, host));
  const isExpected = file.format === 'parquet' ? kind?.name === 'Parquet' : kind === undefined;
  if (isExpected) return;
  throw new UserError(otherFormat(file.name, file.format, kind));
}

/** The file's bytes in pieces, unpacked if it is gzip. */
async function* unpacked(file: RowFile, host: Host): AsyncIterable<Uint8Array> {
  const windows = windowsOf(host, file.path);
  if (!isGzip(startOf(file, host))) {
    yield* windows;
    return;
  }
  const packed = Readable.from(windows, { objectMode: false });
  const unzip = createGunzip({ chunkSize: 1 << 18 });
  packed.on('error', (error) => unzip.destroy(error));
  try {
    for await (const bytes of packed.pipe(unzip)) yield bytes as Uint8Array;
  } catch (error) {
    if (error instanceof HostError || !(error instanceof Error) || !('code' in error)) throw error;
    const place = { file: file.name, line: 0, column: 0 };
    throw new UserError(brokenFile(place, `cannot be unpacked: ${error.message}`));
  }
}

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

const isGzip = (start: Uint8Array): boolean => begins(start, GZIP);

/** `undefined` for what may be text, packed with gzip or not. */
const kindOf = (start: Uint8Array): FileKind | undefined =>
  SIGNATURES.find(({ bytes }) => begins(start, bytes));
