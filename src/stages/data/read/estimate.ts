import { UserError } from '../../../diagnostics/types.js';
import type { Host } from '../../../source/host.js';
import { type RowFile, splitterOf } from './index.js';

/** Bytes at the start of a file whose rows are counted; the rest is taken to be like them. */
const SAMPLE = 1 << 16;

/** What a row of a Parquet file or of a packed one is taken to need: their starts do not show rows. */
const PACKED_ROW = 256;

export interface RowsInBytes {
  /** Of the file; for rows that are made up, what they take as JSON. */
  readonly bytes: number;
  readonly rows: number;
}

/** How many rows a file may have, from its size and its start: for figures that are needed before it is read. */
export function estimateRows(file: RowFile, host: Host): RowsInBytes {
  if (file.format === 'synthetic') {
    const [rows, length] = [Number(file.args['rows']), Number(file.args['length'])];
    return { rows, bytes: rows * length * SYNTHETIC_TOKEN };
  }
  const bytes = host.stat(file.path)?.size ?? 0;
  const sample = host.readBytes(file.path, 0, SAMPLE);
  if (sample.length === 0) return { bytes, rows: 0 };
  const splitter = splitterOf(file, sample);
  if (splitter === undefined) return { bytes, rows: Math.max(1, bytes / PACKED_ROW) };
  const rows = rowsIn(sample, sample.length === bytes, splitter);
  return { bytes, rows: (bytes * Math.max(1, rows)) / sample.length };
}

/** An id and a label of at most three digits, each with its comma. */
const SYNTHETIC_TOKEN = 8;

/** A file that is no file of rows has none; reading it says why. */
function rowsIn(
  sample: Uint8Array,
  isWhole: boolean,
  splitter: NonNullable<ReturnType<typeof splitterOf>>,
): number {
  try {
    return splitter.push(sample).length + (isWhole ? splitter.end().length : 0);
  } catch (error) {
    if (error instanceof UserError) return 0;
    throw error;
  }
}
