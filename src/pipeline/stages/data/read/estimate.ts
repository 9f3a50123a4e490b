import { UserError } from '../../../../language/diagnostics/types.js';
import { type Host, HostError } from '../../../../language/host/host.js';
import { NEWLINE } from '../file-lines.js';
import { parquetSize } from './footer.js';
import { isDirect, type RowFile, splitterOf } from './read-rows.js';
import { packingOf } from './unpack.js';

/** Bytes at the start of a file whose rows are counted, and in how many places all over it as many are looked at for their lines. */
const SAMPLE = 1 << 16;
const PLACES = 16;

/** What a packed row is taken to need, where the start of the file does not show rows. */
const PACKED_ROW = 64;
/** How much longer rows are than packed. */
const PACKED = 4;

interface RowsInBytes {
  /** Of the rows unpacked; for rows that are made up, what they take as JSON. */
  readonly bytes: number;
  readonly rows: number;
  /** Those of the bytes that come out of Parquet. */
  readonly parquet: number;
  /** Those that cannot be read again where they are. */
  readonly spooled: number;
}

type UnpackedRows = Omit<RowsInBytes, 'spooled'>;

/** By host, and by all that an estimate depends on: where a pipeline is planned many times, its files are looked at once. */
const known = new WeakMap<Host, Map<string, RowsInBytes>>();

/** How many rows a file may have, from its size, its start and some places of it: for figures that are needed before it is read. */
export function estimateRows(file: RowFile, host: Host): RowsInBytes {
  const ofHost = known.get(host) ?? new Map<string, RowsInBytes>();
  known.set(host, ofHost);
  const { path, format, args } = file;
  const key = JSON.stringify([path, format, args, host.stat(path)]);
  const found = ofHost.get(key) ?? spooled(file, host, estimated(file, host));
  ofHost.set(key, found);
  return found;
}

const spooled = (file: RowFile, host: Host, size: UnpackedRows): RowsInBytes => ({
  ...size,
  spooled: isDirect(file, host) ? 0 : size.bytes,
});

function estimated(file: RowFile, host: Host): UnpackedRows {
  if (file.format === 'synthetic') {
    const [rows, length] = [Number(file.args['rows']), Number(file.args['length'])];
    return { rows, bytes: rows * length * SYNTHETIC_TOKEN, parquet: 0 };
  }
  const bytes = host.stat(file.path)?.size ?? 0;
  const packed = { bytes: PACKED * bytes, rows: Math.max(1, bytes / PACKED_ROW) };
  if (file.format === 'parquet') {
    const known = parquetSize(host, file.path, bytes) ?? packed;
    return { ...known, parquet: known.bytes };
  }
  const sample = host.readBytes(file.path, 0, SAMPLE);
  if (sample.length === 0) return { bytes, rows: 0, parquet: 0 };
  const isWhole = sample.length === bytes;
  const packing = packingOf(sample);
  const start = packing === undefined ? sample : packing.unpackStart?.(sample);
  const splitter = start && splitterOf(file, start);
  if (start === undefined || splitter === undefined) return { ...packed, parquet: 0 };
  // of a packed file, all is taken to be packed as its start is
  const size = (bytes * start.length) / sample.length;
  if (file.args['by'] === 'document') return { bytes: size, rows: 1, parquet: 0 };
  const rows = Math.max(1, rowsIn(start, isWhole, splitter)) / start.length;
  const more = isWhole || packing !== undefined ? 1 : linesBeside(sample, file.path, bytes, host);
  return { bytes: size, rows: size * rows * more, parquet: 0 };
}

/**
 * How many more lines than the start of a file all of it has in as many bytes, by what is in places as far from each other; a file may
 * be sorted, or grow. Rows are longer or shorter as lines are. 1 of a file that is yet to be fetched, of which the start alone is here.
 */
function linesBeside(start: Uint8Array, path: string, bytes: number, host: Host): number {
  const first = linesIn(start);
  if (first === 0) return 1;
  let [lines, read] = [first, start.length];
  try {
    for (const there of placesOf(path, bytes, host)) {
      lines += linesIn(there);
      read += there.length;
    }
  } catch (error) {
    if (error instanceof HostError && error.code === 'not_found') return 1;
    throw error;
  }
  return (lines * start.length) / (first * read);
}

/** What lies in places after the start: of a small file all of it. */
function* placesOf(path: string, bytes: number, host: Host): Iterable<Uint8Array> {
  const step = Math.max(SAMPLE, (bytes - SAMPLE) / (PLACES - 1));
  for (let at = step; at < bytes; at += step) yield host.readBytes(path, Math.floor(at), SAMPLE);
}

function linesIn(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

/** An id and a label of at most three digits, each with its comma. */
const SYNTHETIC_TOKEN = 8;

/** A file that is not a file of rows has none; reading it says why. */
function rowsIn(
  sample: Uint8Array,
  isWhole: boolean,
  splitter: NonNullable<ReturnType<typeof splitterOf>>,
): number {
  try {
    return [...splitter.push(sample)].length + (isWhole ? splitter.end().length : 0);
  } catch (error) {
    if (error instanceof UserError) return 0;
    throw error;
  }
}
