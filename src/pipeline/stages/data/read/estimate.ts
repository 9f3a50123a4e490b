import { UserError } from '../../../../language/diagnostics/types.js';
import type { Host } from '../../../../language/host/host.js';
import { parquetSize } from './footer.js';
import { isDirect, type RowFile, splitterOf } from './read-rows.js';

/** Bytes at the start of a file whose rows are counted; the rest is taken to be like them. */
const SAMPLE = 1 << 16;

/** What a packed row is taken to need: the start of the file does not show rows. */
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

/** How many rows a file may have, from its size and its start: for figures that are needed before it is read. */
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
  const splitter = splitterOf(file, sample);
  if (splitter === undefined) return { ...packed, parquet: 0 };
  if (file.args['by'] === 'document') return { bytes, rows: 1, parquet: 0 };
  const rows = rowsIn(sample, sample.length === bytes, splitter);
  return { bytes, rows: (bytes * Math.max(1, rows)) / sample.length, parquet: 0 };
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
