/** What rows become, in few arrays: they pass from a thread to the stage without a copy, and into its files as they are. */
import { CHOICES, LABELLED } from '../../../language/schemas/functions/template.js';
import { type DataRow, parseDataRow } from '../data/data-rows.js';
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
  readonly places: readonly RowPlace[];
  /** Of each row: what is kept of it in pieces; none where it is dropped. */
  readonly pieceCounts: Uint32Array<ArrayBuffer>;
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
}

/** Tokens, supervised ones, those of the prompt, and bytes of text. */
export const PIECE_FIELDS = 4;

/** The same in buffers of their own. */
export const inOwnMemory = (rows: EncodedRows): EncodedRows => ({
  ...rows,
  tokens: rows.tokens.slice(),
  ...(rows.weights && { weights: rows.weights.slice() }),
  text: rows.text.slice(),
});

/** The buffers in it, which a thread may give away. */
export const buffersOf = ({ pieceCounts, pieces, tokens, weights, text }: EncodedRows): ArrayBuffer[] =>
  [pieceCounts, pieces, tokens, weights, text].flatMap((array) =>
    array === undefined ? [] : [array.buffer],
  );

/** Encodes rows, batch after batch: what they become is in memory that the next batch takes. */
export class BatchEncoder {
  private readonly tokens = new ReusedBytes(START);
  private readonly weights = new ReusedBytes(0);
  private readonly text = new ReusedBytes(START);

  constructor(
    private readonly encoder: RowEncoder,
    private readonly template: string,
  ) {}

  /** `lines` as a data stage wrote them. */
  encode(lines: Uint8Array): EncodedRows {
    const { tokens, weights, text } = this;
    for (const memory of [tokens, weights, text]) memory.clear();
    const rows = new Gathered(tokens, weights, text);
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
  private readonly places: RowPlace[] = [];
  private readonly pieceCounts: number[] = [];
  private readonly pieces: number[] = [];
  private readonly faults = new Map<number, RowRemark>();
  private readonly remarks = new Map<number, readonly RowRemark[]>();
  private readonly askedOtherwise = new Set<number>();
  private readonly systems = new Map<number, string>();
  private readonly labels = new Map<number, string>();
  private readonly answers = new Map<number, readonly number[]>();
  private readonly joined = new Map<number, number>();

  constructor(
    private readonly tokens: ReusedBytes,
    private readonly weights: ReusedBytes,
    private readonly text: ReusedBytes,
  ) {}

  add({ file, line, row }: DataRow, encoder: RowEncoder, template: string): void {
    const number = this.places.push({ file, line }) - 1;
    const outcome = encoder.encode(row);
    if ('reason' in outcome) {
      this.pieceCounts.push(0);
      this.faults.set(number, outcome);
      return;
    }
    this.note(number, outcome);
    if (template === LABELLED) this.labels.set(number, outcome.rendered.answer);
    this.pieceCounts.push(outcome.kept.length);
    const marks = marksOf(row, template, outcome.rendered.given);
    // a book in a thousand pieces would be written a thousand times
    for (const [index, piece] of outcome.kept.entries())
      this.addPiece(piece, index === 0 ? outcome.rendered : NO_TEXT, { file, line, ...marks });
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
    this.pieces.push(piece.ids.length, piece.supervised, piece.promptTokens, bytes);
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
    const { places, faults, remarks, askedOtherwise, systems, labels, answers, joined } = this;
    return {
      ...{ places, faults, remarks, askedOtherwise, systems, labels, answers, joined },
      pieceCounts: Uint32Array.from(this.pieceCounts),
      pieces: Uint32Array.from(this.pieces),
      tokens: integersOf(this.tokens.view()),
      ...(this.weights.length > 0 && { weights: floatsOf(this.weights.view()) }),
      text: this.text.view(),
    };
  }
}

/** Of a token with its label, and of its weight. */
const TOKEN_BYTES = 8;
const WEIGHT_BYTES = 4;

type Bytes = Uint8Array<ArrayBuffer>;

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
