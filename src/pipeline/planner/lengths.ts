/** How long the rows are that a stage will read: counted where they were formatted, else sampled, else assumed. */
import type { FormatInfo } from '../stages/format/format-info.js';
import type { LengthSurvey } from '../stages/format/survey.js';

export interface Lengths {
  readonly rows: number;
  readonly tokens: number;
  readonly supervised: number;
  readonly longest: number;
  /** `histogram[i]` rows have at most `16 · (i + 1)` tokens and more than `16 · i`. */
  readonly histogram: readonly number[];
  /** Of labelled rows: their labels, or as many as are known of. */
  readonly labels?: readonly string[];
  /** `counted` from the format stage's output, `sampled` from the sources, `assumed` where neither can be read. */
  readonly known: 'counted' | 'sampled' | 'assumed';
}

/** Tokens a bin of the histogram is wide. */
export const BIN = 16;

/** Of a split that a format stage has written; `all` is one of them, and the stage itself means it. */
export function countedLengths(info: FormatInfo, split: string): Lengths {
  const found = info.splits[split === '' ? 'all' : split];
  const { rows, tokens, supervised, longest, histogram } = found ?? NO_ROWS;
  return { rows, tokens, supervised, longest, histogram, ...withLabels(info.labels), known: 'counted' };
}

const withLabels = (labels: readonly string[] | undefined): Pick<Lengths, 'labels'> =>
  labels === undefined ? {} : { labels };

const NO_ROWS = { rows: 0, tokens: 0, supervised: 0, longest: 0, histogram: [] };

/** `share` of the sampled rows, as many as the split will get; the longest row may be in any split. */
export function sampledLengths(survey: LengthSurvey, rows: number): Lengths {
  const scale = survey.sampled === 0 ? 0 : rows / survey.sampled;
  return {
    rows: Math.round(rows),
    tokens: Math.round(survey.tokens * scale),
    supervised: Math.round(survey.supervised * scale),
    longest: survey.longest,
    histogram: survey.histogram.map((count) => count * scale),
    ...withLabels(survey.labels),
    known: 'sampled',
  };
}

/** Every row as long as allowed: the worst case. */
export function assumedLengths(rows: number, maxLength: number, labels?: readonly string[]): Lengths {
  const histogram = new Array<number>(Math.max(1, Math.ceil(maxLength / BIN))).fill(0);
  histogram[histogram.length - 1] = rows;
  const tokens = rows * maxLength;
  return {
    rows,
    tokens,
    supervised: tokens,
    longest: maxLength,
    histogram,
    ...withLabels(labels),
    known: 'assumed',
  };
}

/** Without the rows above `limit`; a bin that straddles it is kept, so that nothing is underestimated. */
export function shortened(lengths: Lengths, limit: number): Lengths {
  if (lengths.longest <= limit) return lengths;
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
  };
}
