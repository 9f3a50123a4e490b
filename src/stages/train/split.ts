import type { Host } from '../../source/host.js';
import type { FormatInfo } from '../format/rows.js';

/** Where a row of a split came from. */
export interface RowPlace {
  readonly file: string;
  readonly line: number;
}

/** The rows of a split, read from its files when they are asked for. */
export interface Split {
  readonly info: FormatInfo;
  readonly rows: number;
  /** Tokens of every row. */
  readonly lengths: Uint32Array;
  read(row: number): { readonly ids: Int32Array; readonly labels: Int32Array };
  placeOf(row: number): RowPlace;
}

/** Float64 values of a row in `rows.bin`. */
const FIELDS = 6;
const ROW_BYTES = FIELDS * 8;
/** Bytes of a token in `tokens.bin`: id and label. */
const TOKEN_BYTES = 8;
/** Rows whose records are read at one time. */
const WINDOW = 4096;

/** Opens what a format stage put out under `folder`; see `FormatInfo` for the files. Only lengths stay in memory. */
export function openSplit(host: Host, folder: string, name: string): Split {
  const info = JSON.parse(host.readText(`${folder}/format.json`)) as FormatInfo;
  const rows = info.splits[name]?.rows ?? 0;
  const records = (first: number, count: number): Float64Array =>
    new Float64Array(
      aligned(host.readBytes(`${folder}/${name}.rows.bin`, first * ROW_BYTES, count * ROW_BYTES)),
    );
  const lengths = new Uint32Array(rows);
  for (let first = 0; first < rows; first += WINDOW) {
    const count = Math.min(WINDOW, rows - first);
    const window = records(first, count);
    for (let row = 0; row < count; row++) lengths[first + row] = window[row * FIELDS + 1] ?? 0;
  }
  return {
    info,
    rows,
    lengths,
    read(row) {
      const [offset = 0, tokens = 0] = records(row, 1);
      const path = `${folder}/${name}.tokens.bin`;
      const pairs = new Int32Array(aligned(host.readBytes(path, offset * TOKEN_BYTES, tokens * TOKEN_BYTES)));
      return {
        ids: Int32Array.from({ length: tokens }, (_, t) => pairs[2 * t] ?? 0),
        labels: Int32Array.from({ length: tokens }, (_, t) => pairs[2 * t + 1] ?? 0),
      };
    },
    placeOf(row) {
      const record = records(row, 1);
      return { file: info.files[record[4] ?? 0] ?? '', line: record[5] ?? 0 };
    },
  };
}

/** Exactly these bytes, at the start of a buffer of their own. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer;
}
