import type { TokenRow, TokenRows } from '../../../compute/training/index.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import type { Stage } from '../../../language/ir/program.js';
import { openSplit, type TokenizedSplit } from '../format/split-files.js';
import type { RowEntry } from '../row-report.js';

export interface TrainRows extends TokenRows {
  readonly padId: number;
  /** Rows of the split, kept or not. */
  readonly total: number;
  /** Rows that are too long. */
  dropped(): Iterable<RowEntry>;
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

/** The rows that are trained on, of which there must be one. Throws a `UserError`. */
export function trainRows(options: RowsOptions): TrainRows {
  const rows = shortRows(options);
  if (rows.count === 0) throw noRows(options.stage, options.split, rows.total, options.maxLength);
  return rows;
}

/** The rows of a split that are short enough, read one at a time. */
export function shortRows(options: RowsOptions): TrainRows {
  const { host, folder, maxLength } = options;
  const split = openSplit(host, folder, options.split);
  const { lengths } = split;
  const kept = Uint32Array.from({ length: split.rows }, (_, row) => row).filter(
    (row) => (lengths[row] ?? 0) <= maxLength,
  );
  const rowAt = (row: number): number => kept[row] ?? 0;
  return {
    count: kept.length,
    padId: split.info.padId,
    total: split.rows,
    dropped: () => tooLong(split, maxLength),
    lengthOf: (row) => lengths[rowAt(row)] ?? 0,
    read: (row) => checkedRow(split, rowAt(row), options),
  };
}

/** A token beyond the vocabulary would look up a row of another tensor: the tokenizer is not this base's. */
function checkedRow(split: TokenizedSplit, row: number, { stage, vocabSize }: RowsOptions): TokenRow {
  const tokens = split.read(row);
  const id = tokens.ids.find((token) => token < 0 || token >= vocabSize);
  if (id !== undefined) throw tokenOutOfVocabulary(stage, { id, ...split.placeOf(row) }, vocabSize);
  return tokens;
}

function* tooLong(split: TokenizedSplit, maxLength: number): Iterable<RowEntry> {
  for (const [row, length] of split.lengths.entries()) {
    if (length <= maxLength) continue;
    const detail = `${length} tokens, at most ${maxLength} are trained on`;
    yield { ...split.placeOf(row), reason: 'too_long', detail };
  }
}

/** A training over frozen weights that stopped being a number, where that is the fault of one of them. */
export const withNotFinite = ({ diagnostic }: UserError, base: string, tensor: string): UserError =>
  new UserError({
    ...diagnostic,
    notes: [`tensor "${tensor}" of \`${base}\` has values that are not finite`],
    help: 'download the base again, or use one whose weights are finite; weights that overflow in f16 need bf16 or f32',
  });

function noRows(stage: Stage, split: string, total: number, maxLength: number): UserError {
  return new UserError({
    code: 'FTP0852',
    severity: 'error',
    message:
      total === 0
        ? `stage \`${stage.name}\` has nothing to train on: split \`${split}\` has no rows`
        : `stage \`${stage.name}\` has nothing to train on: all ${total} rows of \`${split}\` are longer than ${maxLength} tokens`,
    at: stage.span,
    help:
      total === 0
        ? 'check the report of the data stage: which rows were dropped, and how they were split'
        : 'raise `max_length` of the format stage or the `min` of `shorten`, or use `overflow = split`',
  });
}

function tokenOutOfVocabulary(
  stage: Stage,
  found: { readonly id: number; readonly file: string; readonly line: number },
  vocabulary: number,
): UserError {
  return new UserError({
    code: 'FTP0853',
    severity: 'error',
    message: `a row of stage \`${stage.name}\` has token ${found.id}, but its base has only ${vocabulary} tokens`,
    at: { file: found.file, line: found.line, column: 0 },
    help: 'format the rows with the tokenizer of this base: set `model` of the format stage to it',
  });
}
