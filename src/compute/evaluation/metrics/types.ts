import type { Value } from '../../../language/ir/program.js';
import type { METRIC_ROWS } from '../../../language/schemas/functions/metric.js';

export type MetricName = keyof typeof METRIC_ROWS;

/** What is known of one held-out row of one model. */
export interface MeasuredRow {
  /** Sum of the cross entropies of its supervised tokens, in nats. */
  readonly lossSum: number;
  /** Supervised tokens that have a token before them. */
  readonly tokens: number;
  /** Sum over the same tokens of −log of their share in all rows, in nats. */
  readonly unigramSum: number;
  readonly reference: string;
  readonly referenceTokens: number;
  /** What was asked, where a metric reads it. */
  readonly request?: string;
  /** Whether the row asks for harm, where the data says so. */
  readonly asksHarm?: boolean;
  /** Left out where the row was not answered. */
  readonly answer?: string;
  /** Tokens of the answer, without what ended it. */
  readonly answerTokens?: number;
  /** What a judge says of the answer, by the metric that asks it; left out where it said nothing that can be read. */
  readonly judged?: Readonly<Partial<Record<MetricName, number>>>;
  /** Where `json_valid` is measured: whether the answer is JSON that satisfies the schema. */
  readonly isValidJson?: boolean;
  /**
   * Of a labelled row: the class that it has, and the one that the model gives it. Of a question: the right choice, the
   * likeliest one, and the likeliest one by character.
   */
  readonly classes?: Classes;
  /** Of a pair of answers: what the model gives to each. */
  readonly rewards?: Rewards;
  /** What the baseline made of the same row; of a row of the baseline, what it made itself. */
  readonly before?: Pick<MeasuredRow, 'lossSum' | 'classes'>;
}

export type Rewards = readonly [chosen: number, rejected: number];

/** The class of a row, and those that a model gives it. */
interface Classes {
  readonly truth: number;
  readonly predicted: number;
  readonly normalised?: number;
}

/** A row's contribution: the metric is a function of Σ sum ÷ Σ weight. */
export interface MetricPart {
  readonly sum: number;
  readonly weight: number;
}

export interface Metric {
  /** What must be computed before it can be measured. */
  readonly needs: 'loss' | 'answer' | 'labels' | 'classes' | 'rewards';
  /** Whether the row counts; `args` are those of the metric's call. */
  counts(row: Pick<MeasuredRow, 'referenceTokens' | 'asksHarm'>, args: MetricArgs): boolean;
  /** What a row contributes; `args` are read once. */
  part(args: MetricArgs): (row: MeasuredRow) => MetricPart;
  /** From the weighted mean to the value. Monotone, so that it maps an interval's ends. */
  finish(mean: number): number;
  /** `wilson` for a share of rows, `jackknife` where copies of a row would change the value, `bootstrap` for everything else. */
  readonly interval: 'wilson' | 'jackknife' | 'bootstrap';
  /** Default: `finish` of the weighted mean of the parts. `draws[i]`: times that row i counts; default: once. */
  readonly statistic?: (rows: readonly MeasuredRow[], args: MetricArgs) => (draws?: Uint32Array) => number;
  /** Whether more is better. */
  readonly higherIsBetter: boolean;
}

export type MetricArgs = { readonly [name: string]: Value };

export interface Measurement {
  readonly value: number;
  /** Ends of the 95 % interval. */
  readonly low: number;
  readonly high: number;
  /** Rows that counted. */
  readonly rows: number;
}
