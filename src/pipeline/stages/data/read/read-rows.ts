/** Every form of file that rows are read from, by the function of `std/data` that names it. */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { brokenFile, otherFormat, unpacksTooFar } from '../../../../language/diagnostics/catalogue/files.js';
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
import { HEAD, isGzip, kindOf, noLines } from './file-kinds.js';
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
  checkKind(file, startOf(file, host));
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

const startOf = ({ path }: RowFile, host: Host): Uint8Array => host.readBytes(path, 0, HEAD);

function checkKind(file: RowFile, start: Uint8Array): void {
  const kind = kindOf(start) ?? (file.format === 'jsonl' ? noLines(start) : undefined);
  const isExpected = file.format === 'parquet' ? kind?.name === 'Parquet' : kind === undefined;
  if (isExpected) return;
  throw new UserError(otherFormat(file.name, file.format, kind));
}

/** Rows are seldom packed to a twentieth; gzip packs zeros to a thousandth, which wastes hours and fills disks. */
const MOST_UNPACKED = 200;
/** Small files may unpack to this in any case. */
const ALWAYS_UNPACKED = 1 << 28;

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
    const size = host.stat(file.path)?.size ?? 0;
    let unpackedBytes = 0;
    for await (const piece of packed.pipe(unzip)) {
      const bytes = piece as Uint8Array;
      if (unpackedBytes === 0) checkUnpacked(file, bytes);
      unpackedBytes += bytes.length;
      if (unpackedBytes > Math.max(ALWAYS_UNPACKED, MOST_UNPACKED * size))
        throw new UserError(unpacksTooFar(file.name, size, MOST_UNPACKED));
      yield bytes;
    }
  } catch (error) {
    if (error instanceof HostError || !(error instanceof Error) || !('code' in error)) throw error;
    const place = { file: file.name, line: 0, column: 0 };
    throw new UserError(brokenFile(place, `cannot be unpacked: ${error.message}`));
  }
}

/** What is in a gzip file is the file that is read. */
function checkUnpacked(file: RowFile, bytes: Uint8Array): void {
  if (isGzip(bytes))
    throw new UserError(
      otherFormat(file.name, file.format, {
        name: 'gzip in gzip',
        help: 'decompress it once: it was packed twice',
      }),
    );
  checkKind(file, bytes.subarray(0, HEAD));
}
