/**
 * The hand-over from format to train and eval: three files for each of the splits `train`, `valid`, `test` and `all`.
 *
 * `<split>.tokens.bin`: int32 pairs, little endian: id, label (-100: not supervised), rows one after another.
 * `<split>.weights.bin`, where answers have weights: float32 per token, its weight in the loss.
 * `<split>.rows.bin`: {@link ROW_FIELDS} float64 a row: offset of the first token, tokens, supervised tokens,
 *   prompt tokens (those before the last answer; 0 if no prompt is left whole), index of the source file, line.
 * `<split>.text.jsonl`: one object per row: `{ "prompt", "answer", "file", "line", "kind"? }`; prompt is the text before
 *   the last answer, answer the reference for generation, without the end token. Of a row that is split, the first piece
 *   has them, and the others are empty.
 * Of prompts that are marked as harmful or harmless: `"harm": { "asked", "request" }`.
 * Of questions with choices, each choice is a row, with `"choice": { "at", "of", "right", "text", "characters" }`.
 * Of preferences, each answer is a row, chosen before rejected, with `"preference": { "side", "answer" }`.
 * Of labelled rows, a label of a token is the class of its text, at the last token; prompt is the text, answer the label.
 * `format.json`: see {@link FormatInfo}.
 */

import { join } from 'node:path';
import * as v from 'valibot';
import { ROW_PROMPT } from '../../../compute/models/training-prompt.js';
import type { TokenRow } from '../../../compute/training/batch.js';
import type { Host } from '../../../language/host/host.js';
import { count, figure, type JsonOf, ownJson, record, version } from '../../../language/host/json.js';
import type { OutputFile, OutputFolder } from '../../../language/ir/outputs.js';
import { textLines } from '../data/file-lines.js';
import { type EncodedRows, PIECE_FIELDS, piecesOf, placeOf } from './encoded-rows.js';

const ROW_FIELDS = 6;

/** Width of a bar of {@link SplitInfo.histogram} in tokens. */
const LENGTH_BUCKET = 16;

const SPLIT = v.object({
  rows: count,
  tokens: count,
  supervised: count,
  longest: count,
  /** Rows by length: `histogram[i]` rows have at most `16 · (i + 1)` tokens (and more than `16 · i`). */
  histogram: v.array(count),
  /** Supervised tokens of a row: most of them, and their standard deviation; older artefacts do not say. */
  answers: v.optional(v.object({ most: count, deviation: figure })),
  /** Tokens of prompts, of the rows that have one; older artefacts do not say. */
  prompts: v.optional(v.object({ longest: count, histogram: v.array(count) })),
  /** Of pairs of answers, where the tokens of their prompt count once; older artefacts do not say. */
  joined: v.optional(v.object({ tokens: count, longest: count, histogram: v.array(count) })),
});
export type SplitInfo = JsonOf<typeof SPLIT>;

export const FORMAT_INFO = v.object({
  version: version(1),
  /** Model folder or GGUF file whose tokenizer was used, and digests of tokenizer.json and chat template. */
  tokenizer: v.object({
    folder: v.string(),
    sha256: v.string(),
    /** Tokens that it has besides those of its files. */
    specialTokens: v.optional(v.array(v.string())),
    plainTokens: v.optional(v.array(v.string())),
  }),
  template: v.object({
    sha256: v.string(),
    /** Where it is not the model's own: whoever is trained on these rows takes it along. */
    source: v.optional(v.string()),
  }),
  files: v.array(v.string()),
  splits: record(SPLIT),
  /** Of labelled rows: what their classes are called, by their numbers. */
  labels: v.optional(v.array(v.string())),
  /** Of preferences: pairs of answers, or answers that are judged alone. */
  preferences: v.optional(v.picklist(['pairs', 'judged'])),
  /** How rows ask that a model answers; older artefacts do not say. */
  prompt: v.optional(ROW_PROMPT),
  /** Ids that end an answer. */
  stopIds: v.array(v.number()),
  padId: v.number(),
});
export type FormatInfo = JsonOf<typeof FORMAT_INFO>;

/** Tokens of a row. */
interface RowCounts {
  readonly tokens: number;
  readonly supervised: number;
  /** Before the last answer. */
  readonly prompt: number;
}

/** Tokens of a prompt, and of the answer to it that its row has. */
export interface Asked {
  readonly prompt: number;
  readonly answer: number;
}

/** Tokens of the last answer, with what ends it: earlier ones may be supervised as well, and what follows the end is not answered. */
export const answerTokens = ({ tokens, supervised, prompt }: RowCounts): number =>
  Math.min(supervised, tokens - prompt);

/** Rows counted by their length. */
export class LengthCounts {
  readonly histogram: number[] = [];
  rows = 0;
  tokens = 0;
  supervised = 0;
  longest = 0;
  /** Tokens before the last answer, of rows that have a prompt. */
  readonly prompts: { longest: number; readonly histogram: number[] } = { longest: 0, histogram: [] };
  private most = 0;
  private squares = 0;

  /** `prompt`: 0 where the row has none. */
  add(length: number, supervised: number, prompt = 0): void {
    countIn(this.histogram, length);
    if (prompt > 0) {
      countIn(this.prompts.histogram, prompt);
      this.prompts.longest = Math.max(this.prompts.longest, prompt);
    }
    this.rows++;
    this.tokens += length;
    this.supervised += supervised;
    this.longest = Math.max(this.longest, length);
    this.most = Math.max(this.most, supervised);
    this.squares += supervised ** 2;
  }

  /** Supervised tokens of a row: most of them, and their standard deviation. */
  answers(): { readonly most: number; readonly deviation: number } {
    const rows = Math.max(1, this.rows);
    return {
      most: this.most,
      deviation: Math.sqrt(Math.max(0, this.squares / rows - (this.supervised / rows) ** 2)),
    };
  }
}

function countIn(histogram: number[], length: number): void {
  const bucket = Math.ceil(length / LENGTH_BUCKET) - 1;
  while (histogram.length <= bucket) histogram.push(0);
  histogram[bucket] = (histogram[bucket] ?? 0) + 1;
}

/** Writes the files of one split as its rows come. */
export class SplitWriter {
  private readonly tokens: OutputFile;
  private readonly rows: OutputFile;
  private readonly text: OutputFile;
  private readonly counts = new LengthCounts();
  private readonly joined = new LengthCounts();
  private weights: OutputFile | undefined;

  constructor(
    private readonly output: OutputFolder,
    private readonly split: string,
  ) {
    this.tokens = output.open(`${split}.tokens.bin`);
    this.rows = output.open(`${split}.rows.bin`);
    this.text = output.open(`${split}.text.jsonl`);
  }

  /** `files`: of each row the number of its file; -1 where nothing is kept of it. */
  add(rows: EncodedRows, files: Int32Array): void {
    const { tokens, weights, text } = rows;
    let [piece, token, byte] = [0, 0, 0];
    for (let row = 0; row < files.length; ) {
      // what is kept of rows next to each other is written at once
      const isKept = (files[row] ?? -1) >= 0;
      const from = { token, byte };
      const before = this.counts.tokens;
      for (; row < files.length && (files[row] ?? -1) >= 0 === isKept; row++) {
        if (isKept) this.join(rows.joined.get(row));
        const { line } = placeOf(rows, row);
        for (let left = piecesOf(rows, row); left > 0; left--, piece++) {
          const fields = rows.pieces.subarray(piece * PIECE_FIELDS, (piece + 1) * PIECE_FIELDS);
          const [length = 0, supervised = 0, prompt = 0, bytes = 0] = fields;
          token += length;
          byte += bytes;
          if (!isKept) continue;
          this.record([this.counts.tokens, length, supervised, prompt, files[row] ?? 0, line]);
          this.counts.add(length, supervised, prompt);
        }
      }
      if (!isKept) continue;
      this.tokens.write(bytesOf(tokens.subarray(2 * from.token, 2 * token)));
      this.weigh(before, token - from.token, weights?.subarray(from.token, token));
      this.text.write(text.subarray(from.byte, byte));
    }
  }

  private join(tokens: number | undefined): void {
    if (tokens !== undefined) this.joined.add(tokens, 0);
  }

  private record(values: readonly number[]): void {
    this.rows.write(bytesOf(Float64Array.from(values)));
  }

  /** From the first rows on that have weights; the tokens before them count in full. */
  private weigh(before: number, count: number, weights: Float32Array | undefined): void {
    if (weights === undefined && this.weights === undefined) return;
    if (this.weights === undefined) {
      this.weights = this.output.open(`${this.split}.weights.bin`);
      this.writeFull(this.weights, before);
    }
    if (weights === undefined) this.writeFull(this.weights, count);
    else this.weights.write(bytesOf(weights));
  }

  private writeFull(file: OutputFile, tokens: number): void {
    for (let left = tokens; left > 0; left -= WINDOW)
      file.write(bytesOf(new Float32Array(Math.min(left, WINDOW)).fill(1)));
  }

  close(): SplitInfo {
    for (const file of [this.tokens, this.rows, this.text, this.weights]) file?.close();
    const { rows, tokens, supervised, longest, histogram, prompts } = this.counts;
    const answers = this.counts.answers();
    return {
      rows,
      tokens,
      supervised,
      longest,
      histogram,
      answers,
      prompts,
      joined: joinedInfo(this.joined),
    };
  }
}

/** `undefined` where no row is a pair. */
const joinedInfo = ({ rows, tokens, longest, histogram }: LengthCounts): SplitInfo['joined'] =>
  rows === 0 ? undefined : { tokens, longest, histogram };

/** Little endian, as machines are that this runs on. */
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** What a row says besides its tokens. */
const SPLIT_TEXT = v.object({
  prompt: v.string(),
  /** The reference, without an end token. */
  answer: v.string(),
  file: v.string(),
  line: count,
  /** What sort of row it is, where the data says so. */
  kind: v.optional(v.string()),
  /** Whether it asks for harm, and what it asks, where the data says so. */
  harm: v.optional(v.object({ asked: v.boolean(), request: v.string() })),
  /** Of a choice: which one of how many it is, whether it is right, and its characters. */
  choice: v.optional(
    v.object({ at: count, of: count, right: v.boolean(), text: v.string(), characters: count }),
  ),
  /** Of an answer of a preference: which it is, and its text. */
  preference: v.optional(v.object({ side: v.picklist(['chosen', 'rejected']), answer: v.string() })),
});
export type SplitText = JsonOf<typeof SPLIT_TEXT>;

/** The rows of a split, read from its files when they are asked for. */
export interface TokenizedSplit {
  readonly info: FormatInfo;
  readonly rows: number;
  /** Whether some tokens count less in the loss than others. */
  readonly isWeighted: boolean;
  /** Tokens of every row. */
  readonly lengths: Uint32Array;
  /** Of the rows that have a prompt; of more than `most` rows, those that lie as far apart as lets them be so many. */
  asked(most: number): readonly Asked[];
  read(row: number): TokenRow;
  /** Tokens of the prompt of the last answer (0: no prompt is left whole), and supervised ones. */
  countsOf(row: number): { readonly prompt: number; readonly supervised: number };
  placeOf(row: number): { readonly file: string; readonly line: number };
  /** Texts in the order of the rows. */
  texts(): Iterable<SplitText>;
}

const ROW_BYTES = ROW_FIELDS * 8;
/** Bytes of a token in `tokens.bin`: id and label; and in `weights.bin`. */
const TOKEN_BYTES = 8;
const WEIGHT_BYTES = 4;
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
  const each = (see: (row: number, counts: RowCounts) => void): void => {
    for (let first = 0; first < rows; first += WINDOW) {
      const count = Math.min(WINDOW, rows - first);
      const window = records(first, count);
      for (let row = 0; row < count; row++) {
        const [, tokens = 0, supervised = 0, prompt = 0] = window.subarray(row * ROW_FIELDS);
        see(first + row, { tokens, supervised, prompt });
      }
    }
  };
  const lengths = new Uint32Array(rows);
  each((row, { tokens }) => {
    lengths[row] = tokens;
  });
  const isWeighted = host.stat(path('weights.bin')) !== undefined;
  return {
    info,
    rows,
    isWeighted,
    lengths,
    asked(most) {
      const found: Asked[] = [];
      const apart = Math.ceil(rows / most);
      each((at, row) => {
        if (at % apart === 0 && row.prompt > 0) found.push({ prompt: row.prompt, answer: answerTokens(row) });
      });
      return found;
    },
    read(row) {
      const [offset = 0, tokens = 0] = records(row, 1);
      const pairs = new Int32Array(
        aligned(host.readBytes(path('tokens.bin'), offset * TOKEN_BYTES, tokens * TOKEN_BYTES)),
      );
      return {
        ids: Int32Array.from({ length: tokens }, (_, t) => pairs[2 * t] ?? 0),
        labels: Int32Array.from({ length: tokens }, (_, t) => pairs[2 * t + 1] ?? 0),
        ...(isWeighted && {
          weights: new Float32Array(
            aligned(host.readBytes(path('weights.bin'), offset * WEIGHT_BYTES, tokens * WEIGHT_BYTES)),
          ),
        }),
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
