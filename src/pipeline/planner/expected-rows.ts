/** How long rows are and how many, before the stages that count them have run. */
import { join } from 'node:path';
import type { Host } from '../../language/host/host.js';
import type { Program, Stage } from '../../language/ir/program.js';
import { LABELLED, rowKind } from '../../language/schemas/functions/template.js';
import { mixedSources } from '../../language/schemas/stages/data.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import { type ExpectedSplits, expectedSplits } from '../stages/data/expected-splits.js';
import { estimateRows } from '../stages/data/read/estimate.js';
import { type SourceFile, sourceFiles } from '../stages/data/sources.js';
import { labelledColumns } from '../stages/format/labelled-rows.js';
import { type Asked, openSplit, readFormatInfo } from '../stages/format/split-files.js';
import type { LengthSurvey } from '../stages/format/survey.js';
import { stageNamed } from './stage-models.js';

export type Survey = (program: Program, host: Host, format: Stage) => Promise<LengthSurvey>;

/** Bytes and rows of a data stage's sources. */
export interface SourceSize {
  readonly bytes: number;
  readonly rows: number;
  /** Those of the bytes that come out of Parquet files. */
  readonly parquet: number;
  /** Those that cannot be read again where they are. */
  readonly spooled: number;
}

/** Of every file that a data stage reads. */
export const sourceSize = (program: Program, host: Host, data: Stage): SourceSize =>
  sizeOf(sourceFiles(settingsOf(data, 'data'), program.folder, host), host);

function sizeOf(files: readonly SourceFile[], host: Host): SourceSize {
  const sizes = files.map((file) => estimateRows(file, host));
  const sum = (field: keyof SourceSize): number => sizes.reduce((total, size) => total + size[field], 0);
  return {
    bytes: sum('bytes'),
    rows: Math.ceil(sum('rows')),
    parquet: sum('parquet'),
    spooled: sum('spooled'),
  };
}

/** The part of the sources that is passed on: less than all with `limit`. */
export function limitedSize(size: SourceSize, data: Stage): SourceSize {
  const { limit } = settingsOf(data, 'data');
  const { bytes, rows, parquet, spooled } = size;
  if (typeof limit !== 'number' || limit >= rows) return size;
  const part = (of: number): number => Math.ceil((of * limit) / rows);
  return { bytes: part(bytes), rows: limit, parquet: part(parquet), spooled: part(spooled) };
}

/** Rows that a split of a data stage will get at most: repetitions are not known before it has run. */
export function expectedRows(program: Program, host: Host, data: Stage, split: string): number {
  const settings = settingsOf(data, 'data');
  const files = sourceFiles(settings, program.folder, host);
  const rowsOf = (isOf: (file: SourceFile) => boolean): number => sizeOf(files.filter(isOf), host).rows;
  const own = [settings.source, ...mixedSources(settings)].map((_, part) =>
    rowsOf((file) => !file.general && file.part === part),
  );
  return ofSplit(expectedSplits(settings, { own, general: rowsOf(({ general }) => general) }), split);
}

const ofSplit = ({ all, ...splits }: ExpectedSplits, split: string): number =>
  new Map(Object.entries(splits)).get(split) ?? all;

/** Tokens of prompts, and of the answers that their rows have, where these are known. */
interface AskedTokens {
  readonly prompts: readonly number[];
  readonly answers?: readonly number[];
}

/** How long the rows are that a stage will read. */
export interface Lengths {
  readonly rows: number;
  readonly tokens: number;
  readonly supervised: number;
  /** At least 1: a split without rows is planned like one of a token, and refused when it runs. */
  readonly longest: number;
  /** Of a split of which is not known which rows it gets: tokens of its longest one, at least. */
  readonly longestAtLeast?: number;
  /** `histogram[i]` rows have at most `16 · (i + 1)` tokens and more than `16 · i`. */
  readonly histogram: readonly number[];
  /** Supervised tokens of a row: most of them, and their standard deviation. Not known of rows that nobody has seen. */
  readonly answers?: { readonly most: number; readonly deviation: number };
  /** Tokens of prompts, of the rows that have one. Not known of rows that nobody has seen. */
  readonly prompts?: { readonly longest: number; readonly histogram: readonly number[] };
  /** Each prompt with its answer, where they were counted; of a sample there may be fewer. */
  readonly asked?: () => readonly Asked[];
  /** Of labelled rows: their labels, or as many as are known of. */
  readonly labels?: readonly string[];
  /** Of preferences: two answers of a pair are each a row here. */
  readonly isPaired?: boolean;
  /** Of pairs, where the tokens of their prompt count once. */
  readonly joined?: Pick<Lengths, 'longest' | 'tokens' | 'histogram'>;
  /** Tokens of every row in the order of the rows, where that is known. */
  readonly inOrder?: () => Uint32Array;
  /** `counted` from the format stage's output, `sampled` from the sources, `assumed` where neither can be read. */
  readonly known: 'counted' | 'sampled' | 'assumed';
}

/** Tokens a bin of the histogram is wide. */
export const BIN = 16;

const NO_ROWS = { rows: 0, tokens: 0, supervised: 0, longest: 0, histogram: [] };

/** From the output of a format stage that has run; its split `all` is what the stage itself means. */
export function countedLengths(host: Host, entry: string, split: string): Lengths | undefined {
  if (host.stat(join(entry, 'format.json')) === undefined) return undefined;
  const { splits, labels, preferences } = readFormatInfo(host, entry);
  const isPaired = preferences === 'pairs';
  const name = split === '' ? 'all' : split;
  const inOrder = (): Uint32Array => openSplit(host, entry, name).lengths;
  const asked = (): readonly Asked[] => openSplit(host, entry, name).asked(MOST_PROMPTS);
  const found = splits[name] ?? NO_ROWS;
  return {
    ...found,
    longest: Math.max(1, found.longest),
    ...{ labels, isPaired, inOrder, asked, known: 'counted' },
  };
}

/** Of a split that is not known by itself, the rows are an upper bound, and it may have the longest one, or only shorter ones. */
export function sampledLengths(survey: LengthSurvey, split: string): Lengths {
  const rows = ofSplit(survey.expected, split);
  const own = survey.splits && new Map(Object.entries(survey.splits)).get(split);
  const { sampled, tokens, supervised, longest, histogram, answers, prompts, asked, joined, inOrder } =
    own ?? survey;
  const scale = sampled === 0 ? 0 : rows / sampled;
  const scaled = (counts: readonly number[]): readonly number[] => counts.map((count) => count * scale);
  return {
    rows: Math.round(rows),
    tokens: Math.round(tokens * scale),
    supervised: Math.round(supervised * scale),
    longest: Math.max(1, longest),
    ...(survey.splits === undefined &&
      rows < survey.expected.all && { longestAtLeast: longestAtLeast(survey, rows) }),
    histogram: scaled(histogram),
    answers,
    ...(inOrder && { inOrder: () => Uint32Array.from(inOrder) }),
    ...(prompts && { prompts: { longest: prompts.longest, histogram: scaled(prompts.histogram) } }),
    ...(asked && { asked: () => asked }),
    labels: survey.labels,
    isPaired: survey.isPaired === true,
    ...(joined && {
      joined: {
        longest: joined.longest,
        tokens: Math.round(joined.tokens * scale),
        histogram: scaled(joined.histogram),
      },
    }),
    known: 'sampled',
  };
}

/**
 * That a split has none of so many long rows is less probable than this, were each drawn by itself: rows of a group, which are
 * often as long as each other, come together.
 */
const IMPROBABLE = 0.001;

/** Tokens that the longest of `rows` rows of all has at least. */
function longestAtLeast({ histogram, sampled, expected }: LengthSurvey, rows: number): number {
  const all = Math.max(1, expected.all);
  let longer = 0;
  for (let bin = histogram.length - 1; bin > 0; bin--) {
    longer += ((histogram[bin] ?? 0) * all) / Math.max(1, sampled);
    if ((1 - rows / all) ** longer <= IMPROBABLE) return BIN * bin + 1;
  }
  return 1;
}

/** The same rows without those that the split may not get; `undefined` where it is known which it gets, or it gets the longest. */
export const leastLengths = (lengths: Lengths): Lengths | undefined =>
  lengths.longestAtLeast === undefined || lengths.longestAtLeast >= lengths.longest
    ? undefined
    : shortened(lengths, lengths.longestAtLeast);

/** Every row as long as allowed: the worst case. Rows of preferences are pairs then, of which both answers are trained on. */
export function worstLengths(program: Program, host: Host, format: Stage, split: string): Lengths {
  const { from, max_length: most, template } = settingsOf(format, 'format');
  const data = stageNamed(program, from.stage);
  const rows = data === undefined ? 1000 : expectedRows(program, host, data, split);
  // how many labels the rows have is not known unless they are declared, and a head is small whatever they are
  const labels = template.call === LABELLED ? (labelledColumns(template).labels ?? ['0', '1']) : undefined;
  const isPaired = rowKind(template.call) === 'preferences';
  return assumedLengths((isPaired ? 2 : 1) * Math.max(1, Math.ceil(rows)), most, { labels, isPaired });
}

/** `rows` rows of `longest` tokens each, all of them supervised. */
export function assumedLengths(
  rows: number,
  longest: number,
  { labels, isPaired = false }: Pick<Lengths, 'labels' | 'isPaired'> = {},
): Lengths {
  const histogram = new Array<number>(Math.max(1, Math.ceil(longest / BIN))).fill(0);
  histogram[histogram.length - 1] = rows;
  const tokens = rows * longest;
  return {
    rows,
    tokens,
    supervised: tokens,
    longest,
    histogram,
    labels,
    ...(isPaired && { isPaired }),
    known: 'assumed',
  };
}

/** Tokens of the longest prompt; about, of rows that nobody has seen. */
export const longestPrompt = (lengths: Lengths): number =>
  lengths.prompts?.longest ?? Math.ceil(promptOf(lengths)(lengths.longest));

/** Rows that have a prompt, which can be answered. */
export const promptedRows = ({ prompts, rows }: Lengths): number =>
  prompts === undefined ? rows : prompts.histogram.reduce((sum, count) => sum + count, 0);

/**
 * Supervised tokens of so many rows, at most about: their mean, and three standard deviations of their sum; no fewer than the row with
 * most of them has. `undefined` of rows that nobody has counted, of which all may be.
 */
export function supervisedOf(
  { answers, rows, supervised }: Pick<Lengths, 'answers' | 'rows' | 'supervised'>,
  count: number,
): number | undefined {
  if (rows === 0 || answers === undefined) return undefined;
  const sum = (count * supervised) / rows + 3 * Math.sqrt(count) * answers.deviation;
  return Math.ceil(Math.max(answers.most, sum));
}

/** The share by which the answer of a long row may be shorter than those of its like. */
const SHORTER = 0.2;

/**
 * Tokens of the prompt of a row of so many tokens, about. Where answers differ in their lengths as much as rows do, an answer is as
 * long a share of any row; where they are all as long, what rows differ in are their prompts.
 */
function promptOf(lengths: Lengths): (tokens: number) => number {
  const { answers, supervised, tokens: all, rows } = lengths;
  const share = supervised / Math.max(1, all);
  const mean = all / Math.max(1, rows);
  const spread = deviation(lengths, mean);
  // of a row's tokens beyond the mean
  const more = answers === undefined ? share : Math.min(share, answers.deviation / Math.max(1, spread));
  const certain = 1 - (SHORTER * more) / Math.max(share, Number.MIN_VALUE);
  return (tokens) => tokens - certain * Math.max(0, share * mean + more * (tokens - mean));
}

/** Standard deviation of the lengths. */
export function deviation({ histogram, rows }: Lengths, mean: number): number {
  const squares = histogram.reduce((sum, count, bin) => sum + count * ((bin + 0.5) * BIN - mean) ** 2, 0);
  return Math.sqrt(squares / Math.max(1, rows));
}

/** Rows whose prompts are told apart: of more, a batch is as full. */
const MOST_PROMPTS = 4096;

/**
 * So many prompts, if they are as long as those of any rows, and one is the longest: of those that were counted by themselves, with
 * their answers, or else of those of a bin, which differ.
 */
export function promptsOf(lengths: Lengths, rows: number): AskedTokens {
  const count = Math.min(rows, MOST_PROMPTS);
  const each = lengths.asked?.() ?? [];
  if (each.length === 0) return { prompts: promptsOfBins(lengths, count) };
  const sorted = [...each].sort((a, b) => b.prompt - a.prompt);
  const found = Array.from(
    { length: count },
    (_, at) => sorted[Math.floor((at * sorted.length) / count)] ?? NOTHING_ASKED,
  );
  const [, ...others] = found.map(({ prompt }) => prompt);
  return {
    prompts: count === 0 ? [] : [longestPrompt(lengths), ...others],
    answers: found.map(({ answer }) => answer),
  };
}

const NOTHING_ASKED: Asked = { prompt: 1, answer: 1 };

function promptsOfBins(lengths: Lengths, count: number): readonly number[] {
  const { longest, histogram } = lengths.prompts ?? lengths;
  const promptAt = lengths.prompts === undefined ? promptOf(lengths) : (tokens: number) => tokens;
  const all = Math.max(1, promptedRows(lengths));
  let [from, made] = [0, 0];
  return [...histogram.entries()].reverse().flatMap(([bin, inBin]) => {
    from += inBin;
    const due = Math.min(count, Math.ceil((count * from) / all)) - made;
    made += due;
    const most = Math.min(longest, BIN * (bin + 1));
    const step = lengths.known === 'assumed' ? 0 : (most - BIN * bin) / Math.max(1, due);
    return Array.from({ length: due }, (_, at) => Math.max(1, Math.ceil(promptAt(most - step * at))));
  });
}

/**
 * Without the rows above `limit`; a bin that straddles it is kept, so that nothing is underestimated. Of rows that nobody
 * has seen, all are as long as is left.
 */
export function shortened(lengths: Lengths, limit: number): Lengths {
  if (lengths.longest <= limit) return lengths;
  if (lengths.known === 'assumed') return assumedLengths(lengths.rows, limit, lengths);
  const { asked } = lengths;
  const histogram = lengths.histogram.slice(0, Math.ceil(limit / BIN));
  const rows = histogram.reduce((sum, count) => sum + count, 0);
  const share = lengths.rows === 0 ? 0 : rows / lengths.rows;
  const tokens = histogram.reduce((sum, count, bin) => sum + count * BIN * (bin + 0.5), 0);
  return {
    ...lengths,
    rows: Math.round(rows),
    tokens: Math.min(lengths.tokens, Math.round(tokens)),
    supervised: Math.round(lengths.supervised * share),
    longest: Math.min(limit, histogram.length * BIN),
    histogram,
    ...(lengths.prompts && { prompts: shortenedPrompts(lengths.prompts, limit) }),
    ...(asked && { asked: () => asked().filter(({ prompt }) => prompt <= limit) }),
    ...(lengths.joined && { joined: shortenedPairs(lengths.joined, limit, share) }),
  };
}

/** Those that are short enough: of a row that is kept, the prompt is. */
const shortenedPrompts = (
  { longest, histogram }: NonNullable<Lengths['prompts']>,
  limit: number,
): NonNullable<Lengths['prompts']> => ({
  longest: Math.min(longest, limit),
  histogram: histogram.slice(0, Math.ceil(limit / BIN)),
});

/** Of those whose texts are short enough, about: which ones these are is not known. */
const shortenedPairs = (
  { longest, tokens, histogram }: NonNullable<Lengths['joined']>,
  limit: number,
  share: number,
): NonNullable<Lengths['joined']> => ({
  longest: Math.min(longest, 2 * limit),
  tokens: Math.round(tokens * share),
  histogram: histogram.map((count) => count * share),
});

/** Pairs as the rows in which their prompt is computed once. */
export const joinedPairs = (lengths: Lengths): Lengths =>
  lengths.joined === undefined ? lengths : { ...lengths, ...lengths.joined, rows: lengths.rows / 2 };
