import { join } from 'node:path';
import * as v from 'valibot';
import type { Host } from '../../../language/host/host.js';
import { type Checked, count, ownJson } from '../../../language/host/json.js';
import { textLines } from '../text-lines.js';
import { FORMAT_INFO, type FormatInfo, ROW_FIELDS } from './format-info.js';

/** What a row says besides its tokens. */
const SPLIT_TEXT = v.object({
  prompt: v.string(),
  /** The reference, without an end token. */
  answer: v.string(),
  file: v.string(),
  line: count,
  /** What sort of row it is, where the data says so. */
  kind: v.optional(v.string()),
});
type SplitText = Checked<typeof SPLIT_TEXT>;

/** The rows of a split, read from its files when they are asked for. */
export interface TokenizedSplit {
  readonly info: FormatInfo;
  readonly rows: number;
  /** Tokens of every row. */
  readonly lengths: Uint32Array;
  read(row: number): { readonly ids: Int32Array; readonly labels: Int32Array };
  /** Tokens of the prompt of the last answer (0: no prompt is left whole), and supervised ones. */
  countsOf(row: number): { readonly prompt: number; readonly supervised: number };
  placeOf(row: number): { readonly file: string; readonly line: number };
  /** Texts in the order of the rows. */
  texts(): Iterable<SplitText>;
}

const ROW_BYTES = ROW_FIELDS * 8;
/** Bytes of a token in `tokens.bin`: id and label. */
const TOKEN_BYTES = 8;
/** Rows whose records are read at a time. */
const WINDOW = 4096;

export const readFormatInfo = (host: Host, folder: string): FormatInfo =>
  ownJson(FORMAT_INFO, host.readText(join(folder, 'format.json')));

/** Opens a split of what a format stage put out under `folder`. Only lengths stay in memory. */
export function openSplit(host: Host, folder: string, name: string): TokenizedSplit {
  const info = readFormatInfo(host, folder);
  const rows = info.splits[name]?.rows ?? 0;
  const path = (ending: string): string => join(folder, `${name}.${ending}`);
  const records = (first: number, count: number): Float64Array =>
    new Float64Array(aligned(host.readBytes(path('rows.bin'), first * ROW_BYTES, count * ROW_BYTES)));
  const lengths = new Uint32Array(rows);
  for (let first = 0; first < rows; first += WINDOW) {
    const count = Math.min(WINDOW, rows - first);
    const window = records(first, count);
    for (let row = 0; row < count; row++) lengths[first + row] = window[row * ROW_FIELDS + 1] ?? 0;
  }
  return {
    info,
    rows,
    lengths,
    read(row) {
      const [offset = 0, tokens = 0] = records(row, 1);
      const pairs = new Int32Array(
        aligned(host.readBytes(path('tokens.bin'), offset * TOKEN_BYTES, tokens * TOKEN_BYTES)),
      );
      return {
        ids: Int32Array.from({ length: tokens }, (_, t) => pairs[2 * t] ?? 0),
        labels: Int32Array.from({ length: tokens }, (_, t) => pairs[2 * t + 1] ?? 0),
      };
    },
    countsOf(row) {
      const record = records(row, 1);
      return { supervised: record[2] ?? 0, prompt: record[3] ?? 0 };
    },
    placeOf(row) {
      const record = records(row, 1);
      return { file: info.files[record[4] ?? 0] ?? '', line: record[5] ?? 0 };
    },
    *texts() {
      for (const line of textLines(host, path('text.jsonl'))) yield ownJson(SPLIT_TEXT, line);
    },
  };
}

/** Exactly these bytes, at the start of a buffer of their own. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer;
}
