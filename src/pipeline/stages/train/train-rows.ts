import type { TokenRow, TokenRows } from '../../../compute/training/index.js';
import { error } from '../../../language/diagnostics/make.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import type { Stage } from '../../../language/ir/program.js';
import { openSplit, type SplitText, type TokenizedSplit } from '../format/split-files.js';
import type { RowEntry } from '../row-report.js';

export interface TrainRows extends TokenRows {
  readonly padId: number;
  /** Rows of the split, kept or not. */
  readonly total: number;
  /** Rows that are too long. */
  dropped(): Iterable<RowEntry>;
}

/** Rows to watch training on, and what is needed to answer them. */
export interface ValidationRows extends TrainRows {
  /** Ids that end an answer. */
  readonly stopIds: readonly number[];
  /** Of labelled rows: their labels, by the numbers of the classes. */
  readonly labels?: readonly string[];
  /** Tokens before the answer; 0: there is nothing to answer. */
  promptTokens(row: number): number;
  /** What these rows say, in their order. */
  texts(rows: readonly number[]): readonly SplitText[];
}

export interface RowsOptions {
  readonly host: Host;
  readonly stage: Stage;
  /** Folder of the format stage's output, and the split in it. */
  readonly folder: string;
  readonly split: string;
  /** Rows with more tokens are left out. */
  readonly maxLength: number;
  /** Of the models that read them. */
  readonly vocabularies: readonly Vocabulary[];
}

interface Vocabulary {
  readonly vocabSize: number;
  readonly of: 'base' | 'reference';
}

/** The rows that are trained on, of which there must be one. Throws a `UserError`. */
export function trainRows(options: RowsOptions): TrainRows {
  const rows: TrainRows = shortRows(options);
  if (rows.count === 0) throw noRows(options.stage, options.split, rows.total, options.maxLength);
  return rows;
}

/** The rows of a split that are short enough, read one at a time. */
export function shortRows(options: RowsOptions): ValidationRows {
  const { host, folder, maxLength } = options;
  const split = openSplit(host, folder, options.split);
  const { lengths } = split;
  const kept = Uint32Array.from({ length: split.rows }, (_, row) => row).filter(
    (row) => (lengths[row] ?? 0) <= maxLength,
  );
  const rowAt = (row: number): number => kept[row] ?? 0;
  return {
    count: kept.length,
    isWeighted: split.isWeighted,
    padId: split.info.padId,
    total: split.rows,
    dropped: () => tooLong(split, maxLength),
    lengthOf: (row) => lengths[rowAt(row)] ?? 0,
    read: (row) => checkedRow(split, rowAt(row), options),
    stopIds: split.info.stopIds,
    ...(split.info.labels === undefined ? {} : { labels: split.info.labels }),
    promptTokens: (row) => split.countsOf(rowAt(row)).prompt,
    texts: (rows) => textsOf(split, rows.map(rowAt)),
  };
}

/** Only texts that are wanted stay in memory. */
function textsOf(split: TokenizedSplit, rows: readonly number[]): readonly SplitText[] {
  const places = new Map(rows.map((row, index) => [row, index]));
  const found: SplitText[] = [];
  let row = 0;
  for (const text of split.texts()) {
    const place = places.get(row++);
    if (place !== undefined) found[place] = text;
  }
  return found;
}

/** A token beyond the vocabulary would look up a row of another tensor: the tokenizer is not this base's. */
export function checkedRow(
  split: TokenizedSplit,
  row: number,
  { stage, vocabularies }: RowsOptions,
): TokenRow {
  const tokens = split.read(row);
  const least = Math.min(...vocabularies.map(({ vocabSize }) => vocabSize));
  const id = tokens.ids.find((token) => token < 0 || token >= least);
  if (id === undefined) return tokens;
  const of = vocabularies.find(({ vocabSize }) => id < 0 || id >= vocabSize)?.of;
  const message = `a row of stage \`${stage.name}\` has token ${id}, but its ${of} has only ${least} tokens`;
  throw new UserError(
    error('FTP0853', { ...split.placeOf(row), column: 0 }, message, {
      help:
        of === 'base'
          ? 'format the rows with the tokenizer of this base: set `model` of the format stage to it'
          : 'name a reference that has all tokens of the base',
    }),
  );
}

/** Rows longer than `maxLength` tokens, as entries of the report. */
export function* tooLong(split: TokenizedSplit, maxLength: number): Iterable<RowEntry> {
  for (const [row, length] of split.lengths.entries()) {
    if (length <= maxLength) continue;
    const detail = `${length} tokens, at most ${maxLength} are trained on`;
    yield { ...split.placeOf(row), reason: 'too_long', detail };
  }
}

/** The error of a split that has no row to train on. */
export function noRows({ name, span }: Stage, split: string, total: number, maxLength: number): UserError {
  const nothing = `stage \`${name}\` has nothing to train on:`;
  return new UserError(
    total === 0
      ? error('FTP0852', span, `${nothing} split \`${split}\` has no rows`, {
          help: 'check the report of the data stage: which rows were dropped, and how they were split',
        })
      : error(
          'FTP0852',
          span,
          `${nothing} all ${total} rows of \`${split}\` are longer than ${maxLength} tokens`,
          {
            help: 'raise `max_length` of the format stage or the `min` of `shorten`, or use `overflow = split`',
          },
        ),
  );
}
