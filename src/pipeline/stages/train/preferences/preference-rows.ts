/** Pairs of answers, or judged ones, over the rows that a format stage wrote: each answer is a row there. */
import type { AdapterConfig } from '../../../../compute/models/adapters/config.js';
import type { ModelConfig } from '../../../../compute/models/types.js';
import { type PreferenceRows, sharesPrompts, type TokenRow } from '../../../../compute/training/index.js';
import { error } from '../../../../language/diagnostics/make.js';
import { UserError } from '../../../../language/diagnostics/types.js';
import type { Stage } from '../../../../language/ir/program.js';
import { openSplit, readFormatInfo, type TokenizedSplit } from '../../format/split-files.js';
import type { RowEntry } from '../../row-report.js';
import { checkedRow, noRows, type RowsOptions, tooLong } from '../train-rows.js';

export interface PreferenceSplit extends PreferenceRows {
  readonly padId: number;
  /** Rows of the split, kept or not. */
  readonly total: number;
  /** Tokens of each text of a row. */
  lengthsOf(row: number): readonly number[];
  /** Answers that are too long; with one of a pair, the other is left out. */
  dropped(): Iterable<RowEntry>;
}

/** Of pairs: what they are learned by. */
interface Learner {
  readonly config: ModelConfig;
  readonly adapter: AdapterConfig;
}

/**
 * Rows of a split, of which none is too long; `learner` where they are to be pairs. Throws a `UserError` for judged
 * answers where pairs are learned from.
 */
export function preferenceSplit(options: RowsOptions, learner: Learner | undefined): PreferenceSplit {
  const isPaired = learner !== undefined;
  const { host, stage, folder, maxLength } = options;
  if (isPaired && readFormatInfo(host, folder).preferences === 'judged')
    throw needsPairs(stage, PAIRS_OR_KTO);
  const split = openSplit(host, folder, options.split);
  const answers = isPaired ? 2 : 1;
  const lengthsAt = (first: number): readonly number[] =>
    Array.from({ length: answers }, (_, side) => split.lengths[first + side] ?? 0);
  const kept: number[] = [];
  for (let first = 0; first < split.rows; first += answers)
    if (lengthsAt(first).every((length) => length <= maxLength)) kept.push(first);
  const good = isPaired ? undefined : goodAnswers(split);
  const text = (row: number): TokenRow => checkedRow(split, row, options);
  const firstOf = (row: number): number => kept[row] ?? 0;
  const counted = split.info.splits[options.split];
  return {
    count: kept.length,
    limit: maxLength,
    sharesPrompts:
      learner !== undefined &&
      counted !== undefined &&
      sharesPrompts(learner.config, learner.adapter, counted),
    padId: split.info.padId,
    total: split.rows / answers,
    dropped: () => tooLong(split, maxLength),
    lengthsOf: (row) => lengthsAt(firstOf(row)),
    lengthOf: (row) => Math.max(...lengthsAt(firstOf(row))),
    tokensOf: (row) => lengthsAt(firstOf(row)).reduce((sum, length) => sum + length, 0),
    read(row) {
      const first = firstOf(row);
      return good === undefined
        ? { chosen: text(first), rejected: text(first + 1) }
        : { answer: text(first), isDesirable: good.has(first) };
    },
  };
}

/** The same, of which there must be one. */
export function trainedPreferences(options: RowsOptions, learner: Learner | undefined): PreferenceSplit {
  const rows = preferenceSplit(options, learner);
  if (rows.count === 0) throw noRows(options.stage, options.split, rows.total, options.maxLength);
  return rows;
}

/** Numbers of the rows whose answers are good. */
function goodAnswers(split: TokenizedSplit): ReadonlySet<number> {
  const good = new Set<number>();
  let row = 0;
  for (const { preference } of split.texts()) {
    if (preference?.side === 'chosen') good.add(row);
    row++;
  }
  return good;
}

const PAIRS_OR_KTO =
  'use `objective = kto()`, which learns from answers that are judged alone, or rows with `chosen` and `rejected`';

export const needsPairs = ({ name, span }: Pick<Stage, 'name' | 'span'>, help: string): UserError =>
  new UserError(
    error('FTP2243', span, `stage \`${name}\` compares answers, but its rows have one answer each`, {
      help,
    }),
  );
