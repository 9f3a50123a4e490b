import type { OutputFile, OutputFolder } from '../../../language/ir/outputs.js';
import type { EncodedRow } from './encode-row.js';
import { LENGTH_BUCKET, ROW_FIELDS, type SplitInfo } from './format-info.js';
import type { RenderedRow } from './rendered-row.js';

interface RowOrigin {
  readonly file: string;
  readonly fileIndex: number;
  readonly line: number;
  readonly kind?: string;
}

/** Writes the files of one split row by row; see `rows.ts` for what is in them. */
export class SplitWriter {
  private readonly tokens: OutputFile;
  private readonly rows: OutputFile;
  private readonly text: OutputFile;
  private readonly histogram: number[] = [];
  private count = 0;
  private offset = 0;
  private supervised = 0;
  private longest = 0;

  constructor(output: OutputFolder, split: string) {
    this.tokens = output.open(`${split}.tokens.bin`);
    this.rows = output.open(`${split}.rows.bin`);
    this.text = output.open(`${split}.text.jsonl`);
  }

  add(
    row: EncodedRow,
    { prompt, answer }: Pick<RenderedRow, 'prompt' | 'answer'>,
    { file, fileIndex, line, kind }: RowOrigin,
  ): void {
    const { length } = row.ids;
    const pairs = new DataView(new ArrayBuffer(length * 8));
    for (let t = 0; t < length; t++) {
      pairs.setInt32(t * 8, row.ids[t] ?? 0, true);
      pairs.setInt32(t * 8 + 4, row.labels[t] ?? 0, true);
    }
    this.tokens.write(new Uint8Array(pairs.buffer));
    const record = new DataView(new ArrayBuffer(ROW_FIELDS * 8));
    [this.offset, length, row.supervised, row.promptTokens, fileIndex, line].forEach((value, i) => {
      record.setFloat64(i * 8, value, true);
    });
    this.rows.write(new Uint8Array(record.buffer));
    this.text.write(
      `${JSON.stringify({ prompt, answer, file, line, ...(kind === undefined ? {} : { kind }) })}\n`,
    );
    const bucket = Math.ceil(length / LENGTH_BUCKET) - 1;
    while (this.histogram.length <= bucket) this.histogram.push(0);
    this.histogram[bucket] = (this.histogram[bucket] ?? 0) + 1;
    this.count++;
    this.offset += length;
    this.supervised += row.supervised;
    this.longest = Math.max(this.longest, length);
  }

  close(): SplitInfo {
    for (const file of [this.tokens, this.rows, this.text]) file.close();
    return {
      rows: this.count,
      tokens: this.offset,
      supervised: this.supervised,
      longest: this.longest,
      histogram: this.histogram,
    };
  }
}
