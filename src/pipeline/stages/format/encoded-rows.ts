/** What rows become, in few arrays: they pass from a thread to the stage without a copy, and into its files as they are. */
import { CHOICES, LABELLED } from '../../../language/schemas/functions/template.js';
import { BATCH, type DataRow, parseDataRow } from '../data/data-rows.js';
import { NEWLINE } from '../data/file-lines.js';
import { ReusedBytes } from '../reused-bytes.js';
import type { RowPlace } from '../row-report.js';
import type { EncodedRow } from './encode-row.js';
import type { KeptRow, RowRemark } from './fit-row.js';
import { joinedTokens } from './preference-rows.js';
import type { RenderedRow, Row } from './rendered-row.js';
import type { RowEncoder } from './row-encoder.js';

/** Rows one after another; `tokens`, `weights` and `text` are what the files of a split hold of their pieces. */
export interface EncodedRows {
  /** Names of the files that they are from. */
  readonly files: readonly string[];
  /** Of each row, {@link ROW_NUMBERS}. */
  readonly rows: Uint32Array<ArrayBuffer>;
  /** Of each piece, {@link PIECE_FIELDS} numbers. */
  readonly pieces: Uint32Array<ArrayBuffer>;
  /** Pairs of id and label. */
  readonly tokens: Int32Array<ArrayBuffer>;
  /** Left out where every token counts in full. */
  readonly weights?: Float32Array<ArrayBuffer>;
  readonly text: Uint8Array<ArrayBuffer>;
  /** Of rows, by their number: why they are dropped, and what a report says of those that are kept. */
  readonly faults: ReadonlyMap<number, RowRemark>;
  readonly remarks: ReadonlyMap<number, readonly RowRemark[]>;
  readonly askedOtherwise: ReadonlySet<number>;
  readonly systems: ReadonlyMap<number, string>;
  /** Of labelled rows their labels, and of preferences the supervised tokens of each answer. */
  readonly labels: ReadonlyMap<number, string>;
  readonly answers: ReadonlyMap<number, readonly number[]>;
  /** Of pairs of answers: tokens of both where those of their prompt count once. */
  readonly joined: ReadonlyMap<number, number>;
  /** All of the above that are arrays of numbers are in it. */
  readonly memory: RowsMemory;
}

/** Numbers of a row: its file, its line, and what is kept of it in pieces: none where it is dropped. */
const ROW_NUMBERS = 3;
/** Tokens, supervised ones, those of the prompt, and bytes of text. */
export const PIECE_FIELDS = 4;

/** Rows of a batch. */
export const rowCount = ({ rows }: EncodedRows): number => rows.length / ROW_NUMBERS;

/** Where a row is, as reports show it. */
export const placeOf = ({ files, rows }: EncodedRows, row: number): RowPlace => ({
  file: files[rows[ROW_NUMBERS * row] ?? 0] ?? '',
  line: rows[ROW_NUMBERS * row + 1] ?? 0,
});

/** Pieces of a row that are kept. */
export const piecesOf = ({ rows }: EncodedRows, row: number): number => rows[ROW_NUMBERS * row + 2] ?? 0;

/** Buffers that the rows of one batch after another are in: they pass between the stage and its threads, and are not made again. */
export interface RowsMemory {
  readonly rows: ArrayBuffer;
  readonly pieces: ArrayBuffer;
  readonly tokens: ArrayBuffer;
  readonly weights: ArrayBuffer;
  readonly text: ArrayBuffer;
}

/** As large as batches of short rows need it; it grows. */
export const rowsMemory = (): RowsMemory => ({
  rows: new ArrayBuffer(ROW_NUMBERS * NUMBER_BYTES * BATCH.rows),
  pieces: new ArrayBuffer(PIECE_FIELDS * NUMBER_BYTES * BATCH.rows),
  tokens: new ArrayBuffer(START),
  weights: new ArrayBuffer(0),
  text: new ArrayBuffer(START),
});

/** What a thread gets to encode, and the memory that it hands back with the rows. */
export interface BatchQuestion {
  readonly lines: Uint8Array;
  readonly memory: RowsMemory;
}

/** Encodes rows, batch after batch. */
export class BatchEncoder {
  constructor(
    private readonly encoder: RowEncoder,
    private readonly template: string,
  ) {}

  /** `lines` as a data stage wrote them. The rows take the memory, or what it has grown to. */
  encode({ lines, memory }: BatchQuestion): EncodedRows {
    const rows = new Gathered(memory);
    for (let from = 0; from < lines.length; ) {
      const end = lines.indexOf(NEWLINE, from);
      rows.add(parseDataRow(decoder.decode(lines.subarray(from, end))), this.encoder, this.template);
      from = end + 1;
    }
    return rows.whole();
  }
}

/** Bytes for tokens and texts of a batch of short rows. */
const START = 1 << 16;
const decoder = new TextDecoder();

class Gathered {
  private count = 0;
  private readonly files: string[] = [];
  private readonly rows: ReusedBytes;
  private readonly pieces: ReusedBytes;
  private readonly tokens: ReusedBytes;
  private readonly weights: ReusedBytes;
  private readonly text: ReusedBytes;
  private readonly faults = new Map<number, RowRemark>();
  private readonly remarks = new Map<number, readonly RowRemark[]>();
  private readonly askedOtherwise = new Set<number>();
  private readonly systems = new Map<number, string>();
  private readonly labels = new Map<number, string>();
  private readonly answers = new Map<number, readonly number[]>();
  private readonly joined = new Map<number, number>();

  constructor({ rows, pieces, tokens, weights, text }: RowsMemory) {
    this.rows = new ReusedBytes(rows);
    this.pieces = new ReusedBytes(pieces);
    this.tokens = new ReusedBytes(tokens);
    this.weights = new ReusedBytes(weights);
    this.text = new ReusedBytes(text);
  }

  add({ file, line, row }: DataRow, encoder: RowEncoder, template: string): void {
    const number = this.count++;
    const outcome = encoder.encode(row);
    const kept = 'reason' in outcome ? 0 : outcome.kept.length;
    addNumbers(this.rows, this.indexOf(file), line, kept);
    if ('reason' in outcome) {
      this.faults.set(number, outcome);
      return;
    }
    this.note(number, outcome);
    if (template === LABELLED) this.labels.set(number, outcome.rendered.answer);
    const marks = marksOf(row, template, outcome.rendered.given);
    // a book in a thousand pieces would be written a thousand times
    for (const [index, piece] of outcome.kept.entries())
      this.addPiece(piece, index === 0 ? outcome.rendered : NO_TEXT, { file, line, ...marks });
  }

  private indexOf(file: string): number {
    const known = this.files.lastIndexOf(file);
    return known < 0 ? this.files.push(file) - 1 : known;
  }

  private note(number: number, { rendered, remarks, kept }: KeptRow): void {
    if (remarks.length > 0) this.remarks.set(number, remarks);
    if (rendered.askedOtherwise === true) this.askedOtherwise.add(number);
    if (rendered.system !== undefined) this.systems.set(number, rendered.system);
    if (kept[0]?.preference !== undefined)
      this.answers.set(
        number,
        kept.map(({ supervised }) => supervised),
      );
    const tokens = joinedTokens(kept);
    if (tokens !== undefined) this.joined.set(number, tokens);
  }

  private addPiece(
    piece: EncodedRow,
    { prompt, answer }: Pick<RenderedRow, 'prompt' | 'answer'>,
    { file, line, kind, harm }: RowPlace & ReturnType<typeof marksOf>,
  ): void {
    const { choice, preference } = piece;
    const bytes = this.text.addText(
      `${JSON.stringify({ prompt, answer, file, line, kind, harm, choice, preference })}\n`,
    );
    this.addTokens(piece);
    addNumbers(this.pieces, piece.ids.length, piece.supervised, piece.promptTokens, bytes);
  }

  private addTokens({ ids, labels, weights }: EncodedRow): void {
    const before = this.tokens.length / TOKEN_BYTES;
    const pairs = integersOf(this.tokens.more(TOKEN_BYTES * ids.length));
    for (let t = 0; t < ids.length; t++) {
      pairs[2 * t] = ids[t] as number;
      pairs[2 * t + 1] = labels[t] as number;
    }
    if (weights === undefined && this.weights.length === 0) return;
    const missing = before - this.weights.length / WEIGHT_BYTES;
    floatsOf(this.weights.more(WEIGHT_BYTES * missing)).fill(1);
    const own = floatsOf(this.weights.more(WEIGHT_BYTES * ids.length));
    if (weights === undefined) own.fill(1);
    else own.set(weights);
  }

  whole(): EncodedRows {
    const { faults, remarks, askedOtherwise, systems, labels, answers, joined } = this;
    const { files, rows, pieces, tokens, weights, text } = this;
    return {
      files,
      rows: numbersOf(rows.view()),
      pieces: numbersOf(pieces.view()),
      tokens: integersOf(tokens.view()),
      ...(weights.length > 0 && { weights: floatsOf(weights.view()) }),
      text: text.view(),
      ...{ faults, remarks, askedOtherwise, systems, labels, answers, joined },
      memory: {
        rows: rows.buffer,
        pieces: pieces.buffer,
        tokens: tokens.buffer,
        weights: weights.buffer,
        text: text.buffer,
      },
    };
  }
}

function addNumbers(memory: ReusedBytes, ...numbers: readonly number[]): void {
  numbersOf(memory.more(NUMBER_BYTES * numbers.length)).set(numbers);
}

/** Of a token with its label, of its weight, and of any other number. */
const TOKEN_BYTES = 8;
const WEIGHT_BYTES = 4;
const NUMBER_BYTES = 4;

type Bytes = Uint8Array<ArrayBuffer>;

const numbersOf = ({ buffer, byteOffset, byteLength }: Bytes): Uint32Array<ArrayBuffer> =>
  new Uint32Array(buffer, byteOffset, byteLength / NUMBER_BYTES);
const integersOf = ({ buffer, byteOffset, byteLength }: Bytes): Int32Array<ArrayBuffer> =>
  new Int32Array(buffer, byteOffset, byteLength / 4);
const floatsOf = ({ buffer, byteOffset, byteLength }: Bytes): Float32Array<ArrayBuffer> =>
  new Float32Array(buffer, byteOffset, byteLength / 4);

/** What a piece after the first one says about its text. */
const NO_TEXT = { prompt: '', answer: '' };

/** What an evaluation tells rows apart by. */
const marksOf = (row: Row, template: string, given: readonly string[]) => ({
  kind: kindOf(row, template),
  harm: harmOf(row, given),
});

/** Whether a row asks for harm, where it says so in `harmful`, and its question: the text before the last one that it brought. */
function harmOf(row: Row, given: readonly string[]): { asked: boolean; request: string } | undefined {
  const { harmful, instruction } = row;
  if (typeof harmful !== 'boolean') return undefined;
  const request = typeof instruction === 'string' ? instruction : (given.at(-2) ?? given[0] ?? '');
  return { asked: harmful, request };
}

/** What sort of row it is, where the data says so: of a question, also its subject. */
const kindOf = (row: Row, template: string): string | undefined =>
  [row['kind'], ...(template === CHOICES ? [row['subject']] : [])].find((name) => typeof name === 'string');
