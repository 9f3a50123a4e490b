import type { Stage } from '../../ir/types.js';
import type { Host } from '../../source/host.js';
import type { TokenRow, TokenRows } from '../../training/index.js';
import { noRows, tokenOutOfVocabulary } from './problems.js';
import { openSplit, type Split } from './split.js';

/** A row that was left out, in the form that all reports have. */
export interface DroppedRow {
  readonly file: string;
  readonly line: number;
  readonly reason: 'too_long';
  readonly detail: string;
}

export interface TrainRows extends TokenRows {
  readonly padId: number;
  /** Rows of the split, kept or not. */
  readonly total: number;
  readonly dropped: readonly DroppedRow[];
}

export interface RowsOptions {
  readonly host: Host;
  readonly stage: Stage;
  /** Folder of the format stage's output, and the split in it. */
  readonly folder: string;
  readonly split: string;
  /** Rows with more tokens are left out. */
  readonly maxLength: number;
  readonly vocabSize: number;
}

/** The rows that are trained on: those that are short enough, read one at a time. Throws a `UserError` if none is. */
export function trainRows(options: RowsOptions): TrainRows {
  const { host, stage, folder, maxLength } = options;
  const split = openSplit(host, folder, options.split);
  const { lengths } = split;
  const kept = Uint32Array.from({ length: split.rows }, (_, row) => row).filter(
    (row) => (lengths[row] ?? 0) <= maxLength,
  );
  if (kept.length === 0) throw noRows(stage, options.split, split.rows, maxLength);
  const rowAt = (row: number): number => kept[row] ?? 0;
  return {
    count: kept.length,
    padId: split.info.padId,
    total: split.rows,
    dropped: kept.length === split.rows ? [] : tooLong(split, maxLength),
    lengthOf: (row) => lengths[rowAt(row)] ?? 0,
    read: (row) => checkedRow(split, rowAt(row), options),
  };
}

/** A token beyond the vocabulary would look up a row of another tensor: the tokenizer is not this base's. */
function checkedRow(split: Split, row: number, { stage, vocabSize }: RowsOptions): TokenRow {
  const tokens = split.read(row);
  const id = tokens.ids.find((token) => token < 0 || token >= vocabSize);
  if (id !== undefined) throw tokenOutOfVocabulary(stage, { id, ...split.placeOf(row) }, vocabSize);
  return tokens;
}

function tooLong(split: Split, maxLength: number): readonly DroppedRow[] {
  const dropped: DroppedRow[] = [];
  split.lengths.forEach((length, row) => {
    if (length <= maxLength) return;
    const detail = `${length} tokens, at most ${maxLength} are trained on`;
    dropped.push({ ...split.placeOf(row), reason: 'too_long', detail });
  });
  return dropped;
}
