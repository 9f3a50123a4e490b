/** Every form of file that rows are read from, by the function of `std/data` that names it. */
import { otherFormat } from '../../../../language/diagnostics/catalogue/files.js';
import { UserError } from '../../../../language/diagnostics/types.js';
import type { Host } from '../../../../language/host/host.js';
import type { Value } from '../../../../language/ir/program.js';
import { DELIMITERS } from '../../../../language/schemas/delimiters.js';
import {
  EVERY_ROW,
  isSampled,
  type Line,
  LineSplitter,
  type Sample,
  type Splitter,
  windowsOf,
} from '../file-lines.js';
import { CsvSplitter } from './csv.js';
import { HEAD, kindOf, noLines } from './file-kinds.js';
import { parquetSize } from './footer.js';
import { ListSplitter } from './json-list.js';
import { parquetRows } from './parquet.js';
import { type SyntheticOptions, syntheticRows } from './synthetic.js';
import { type DocumentsBy, textSplitter } from './text-splitters.js';
import { packingOf, unpacked } from './unpack.js';

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
 * The rows of a file in their order, or a sample of them, some at a time; each is good until the next is asked for, and all of
 * a batch must be asked for before the next one. Throws a `HostError`, and a `UserError` if the file has another format.
 */
export async function* rowsOf(
  file: RowFile,
  host: Host,
  sample: Sample = EVERY_ROW,
): AsyncIterable<Iterable<Line>> {
  const { format } = file;
  if (format === 'synthetic') {
    yield* syntheticRows(syntheticOptions(file), sample);
    return;
  }
  checkKind(file, startOf(file, host));
  if (format === 'parquet') {
    // DuckDB reads the file itself, and would not say of one that a plan knows by its ends that it is yet to be fetched
    host.readBytes(file.path, (host.stat(file.path)?.size ?? 0) >> 1, 1);
    yield* parquetRows(file.path, file.name, sample);
    return;
  }
  const splitter = SPLITTERS[format](file);
  let next = 0;
  function* taken(lines: Iterable<Line>): Iterable<Line> {
    for (const line of lines) if (isSampled(sample, next++)) yield line;
  }
  for await (const bytes of contentOf(file, host)) yield taken(splitter.push(bytes));
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
  file.format === 'parquet' || file.format === 'synthetic' || packingOf(start) !== undefined
    ? undefined
    : SPLITTERS[file.format](file);

/** Whether rows can be read again from their place in the file itself. */
export const isDirect = (file: RowFile, host: Host): boolean =>
  (file.format === 'jsonl' || file.format === 'json') && packingOf(startOf(file, host)) === undefined;

const startOf = ({ path }: RowFile, host: Host): Uint8Array => host.readBytes(path, 0, HEAD);

function checkKind(file: RowFile, start: Uint8Array): void {
  const kind = kindOf(start) ?? (file.format === 'jsonl' ? noLines(start) : undefined);
  const isExpected = file.format === 'parquet' ? kind?.name === 'Parquet' : kind === undefined;
  if (isExpected) return;
  throw new UserError(otherFormat(file.name, file.format, kind));
}

/** The file's bytes in pieces, unpacked if it is packed. */
async function* contentOf(file: RowFile, host: Host): AsyncIterable<Uint8Array> {
  const packing = packingOf(startOf(file, host));
  if (packing === undefined) yield* windowsOf(host, file.path, { reuse: true });
  else
    yield* unpacked(packing, windowsOf(host, file.path), {
      name: file.name,
      size: host.stat(file.path)?.size ?? 0,
      check: (start) => checkUnpacked(file, packing.name, start),
    });
}

/** What is in a packed file is the file that is read. */
function checkUnpacked(file: RowFile, packing: string, start: Uint8Array): void {
  const again = packingOf(start)?.name;
  if (again !== undefined)
    throw new UserError(
      otherFormat(file.name, file.format, {
        name: `${again} in ${packing}`,
        help: 'decompress it once: it was packed twice',
      }),
    );
  checkKind(file, start.subarray(0, HEAD));
}
