import type { RequirementResult } from '../../language/ir/requirement-result.js';
import type { Span } from '../../language/source/span.js';
import { type AnswerProfile, answerProfile } from './answer-quality.js';
import { noNumbers, nothingToMeasure } from './evaluation-diagnostics.js';
import type { ChosenMetric } from './measured-rows.js';
import { type ClassScores, type Confusion, classScores, confusion } from './metrics/classes.js';
import { measure, measureDifference } from './metrics/measure.js';
import { isMetricName, metrics as metricTable } from './metrics/table.js';
import type { MeasuredRow, Measurement, MetricName } from './metrics/types.js';
import type { AnswerSettings, RowText } from './observe.js';
import { type RewardReport, rewardReport } from './preference-pairs.js';

/** A model as the report names it. */
export interface ReportedModel {
  readonly label: string;
  /** `nf4`: the projections of its base are held in four bits, as they were in training. */
  readonly storage: 'stored' | 'nf4';
  readonly adapter?: string;
  /** What the adapter lies over. */
  readonly base?: string;
}

export type Interval = readonly [low: number, high: number];
type ByMetric<T> = Readonly<Partial<Record<MetricName, T>>>;

export interface Sample {
  readonly file: string;
  readonly line: number;
  readonly prompt: string;
  readonly reference: string;
  readonly baseline?: string;
  readonly answer: string;
}

/** `report.json` of an eval stage. */
export interface EvaluationReport {
  readonly version: 1;
  readonly stage: string;
  readonly model: ReportedModel;
  readonly baselineModel: ReportedModel | null;
  /** Rows that were measured, and their supervised tokens. */
  readonly rows: number;
  readonly tokens: number;
  /** Rows that were answered. */
  readonly answered: number;
  /** What the answers are like; left out where nothing is generated, and in reports of earlier releases. */
  readonly answers?: AnswerProfile;
  /** How; absent in reports of earlier releases. */
  readonly generation?: AnswerSettings;
  readonly metrics: ByMetric<number>;
  readonly baseline: ByMetric<number>;
  /** 95 % intervals: Wilson's for shares, bootstrap over rows for the others. */
  readonly intervals: ByMetric<Interval>;
  readonly baselineIntervals: ByMetric<Interval>;
  /** Model minus baseline on the same rows, with the interval of a paired bootstrap (jackknife for `distinct`). */
  readonly differences: ByMetric<{ readonly value: number; readonly low: number; readonly high: number }>;
  /** How much better the model is: the differences, turned around where less is better. Absent in reports of earlier releases. */
  readonly gains?: Gains;
  /** Rows that each metric counted. */
  readonly counted: ByMetric<number>;
  readonly requires: readonly RequirementResult[];
  /** Of a classifier. */
  readonly classes?: ClassReport;
  /** Of preferences. */
  readonly rewards?: { readonly model: RewardReport; readonly baseline?: RewardReport };
  readonly groups?: Readonly<Record<string, GroupReport>>;
  readonly samples: readonly Sample[];
}

/** What `gain`, `gain_low` and `gain_high` are in a requirement. */
type Gains = Readonly<Record<'gain' | 'gain_low' | 'gain_high', ByMetric<number>>>;

export interface ClassReport {
  readonly labels: readonly string[];
  /** By label. */
  readonly scores: readonly ClassScores[];
  /** `confusion[i][j]`: rows with label i that were given label j; left out if there are more than 256 labels. */
  readonly confusion?: Confusion;
}

/** Of the rows of one kind. */
interface GroupReport {
  readonly rows: number;
  readonly metrics: ByMetric<number>;
  readonly baseline: ByMetric<number>;
  /** Wilson's, of the metrics that are shares of rows. Absent in reports of earlier releases. */
  readonly intervals?: ByMetric<Interval>;
  readonly baselineIntervals?: ByMetric<Interval>;
}

interface ReportInput {
  readonly stage: string;
  readonly span: Span;
  /** What is required of the metrics comes to this. */
  readonly requires: (
    metrics: ByMetric<number>,
    compared: Partial<Gains> & { readonly baseline: ByMetric<number> },
  ) => readonly RequirementResult[];
  readonly chosen: readonly ChosenMetric[];
  readonly seed: number;
  /** Left out where nothing is generated. */
  readonly generation?: AnswerSettings;
  readonly model: ReportedModel;
  readonly rows: readonly MeasuredRow[];
  readonly baseline?: { readonly model: ReportedModel; readonly rows: readonly MeasuredRow[] };
  readonly texts: readonly RowText[];
  readonly samples: readonly number[];
  /** Of a classifier: its labels. */
  readonly labels?: readonly string[];
  /** Of preferences: what the rewards of the model are, and those of the baseline. */
  readonly reward?: string;
  readonly baselineReward?: string;
}

/** Throws a `UserError` if a metric has no row or a model no numbers. */
export function evaluationReport(input: ReportInput): EvaluationReport {
  const { rows, baseline } = input;
  const own = measureAll(input, input.model, rows);
  const other = baseline === undefined ? {} : measureAll(input, baseline.model, baseline.rows);
  const metrics = mapValues(own, ({ value }) => value);
  const baselineMetrics = mapValues(other, ({ value }) => value);
  const groups = groupReports(input);
  const differences = baseline === undefined ? {} : differencesOf(input, baseline.rows);
  const gains = baseline && gainsOf(differences);
  return {
    version: 1,
    stage: input.stage,
    model: input.model,
    baselineModel: baseline?.model ?? null,
    rows: rows.length,
    tokens: rows.reduce((sum, row) => sum + row.tokens, 0),
    answered: rows.filter(({ answer }) => answer !== undefined).length,
    ...(input.generation === undefined ? {} : { answers: profileOf(rows), generation: input.generation }),
    metrics,
    baseline: baselineMetrics,
    intervals: mapValues(own, interval),
    baselineIntervals: mapValues(other, interval),
    differences,
    ...(gains === undefined ? {} : { gains }),
    counted: mapValues(own, ({ rows: counted }) => counted),
    requires: input.requires(metrics, { baseline: baselineMetrics, ...gains }),
    ...(input.labels === undefined ? {} : { classes: classReport(input.labels, rows) }),
    ...(input.reward === undefined ? {} : { rewards: rewardsIn(input, input.reward) }),
    ...(groups === undefined ? {} : { groups }),
    samples: input.samples.map((row) => sampleOf(input, row)),
  };
}

const rewardsIn = (
  { rows, baseline, baselineReward }: ReportInput,
  reward: string,
): EvaluationReport['rewards'] => ({
  model: rewardReport(reward, rows),
  ...(baseline && baselineReward !== undefined
    ? { baseline: rewardReport(baselineReward, baseline.rows) }
    : {}),
});

const profileOf = (rows: readonly MeasuredRow[]): AnswerProfile | undefined =>
  answerProfile(
    rows.flatMap(({ answer, answerTokens }) =>
      answer === undefined || answerTokens === undefined ? [] : [{ text: answer, tokens: answerTokens }],
    ),
  );

/** Labels beyond which a table of all their pairs says less than it takes. */
const MOST_CONFUSED = 256;

function classReport(labels: readonly string[], rows: readonly MeasuredRow[]): ClassReport {
  const known = rows.flatMap(({ classes }) => classes ?? []);
  return {
    labels,
    scores: classScores(known, labels.length),
    ...(labels.length > MOST_CONFUSED ? {} : { confusion: confusion(known, labels.length) }),
  };
}

const interval = ({ low, high }: Measurement): Interval => [low, high];

function measureAll(
  { chosen, seed, span }: ReportInput,
  model: ReportedModel,
  rows: readonly MeasuredRow[],
): ByMetric<Measurement> {
  return byMetric(chosen, ({ name, args }) => {
    const found = measure(name, rows, { args, seed });
    if (found === undefined) throw nothingToMeasure(name, rows.length, span);
    // A loss of several hundred nats overflows e^x; that is not a number to compare with either.
    if (!Number.isFinite(found.value)) throw noNumbers(model.label, span);
    return found;
  });
}

/** Metrics of which there is nothing to say are left out. */
const byMetric = <T>(
  chosen: readonly ChosenMetric[],
  measured: (metric: ChosenMetric) => T | undefined,
): ByMetric<T> =>
  Object.fromEntries(
    chosen.flatMap((metric) => {
      const value = measured(metric);
      return value === undefined ? [] : [[metric.name, value]];
    }),
  );

const differencesOf = (
  { chosen, seed, rows }: ReportInput,
  other: readonly MeasuredRow[],
): EvaluationReport['differences'] =>
  mapValues(
    byMetric(chosen, ({ name, args }) => measureDifference(name, rows, other, { args, seed })),
    ({ value, low, high }) => ({ value, low, high }),
  );

function gainsOf(differences: EvaluationReport['differences']): Gains {
  const signed = Object.entries(differences).map(([name, { value, low, high }]) => {
    const isBetter = isMetricName(name) && metricTable[name].higherIsBetter;
    return [name, isBetter ? [value, low, high] : [0 - value, 0 - high, 0 - low]] as const;
  });
  const nth = (at: number): ByMetric<number> =>
    Object.fromEntries(signed.map(([name, ends]) => [name, ends[at] ?? Number.NaN]));
  return { gain: nth(0), gain_low: nth(1), gain_high: nth(2) };
}

/** The metrics of each kind of row; a kind on whose rows a metric says nothing leaves it out. */
function groupReports(input: ReportInput): Readonly<Record<string, GroupReport>> | undefined {
  const kinds = [...new Set(input.texts.flatMap(({ kind }) => (kind === undefined ? [] : [kind])))].sort();
  if (kinds.length === 0) return undefined;
  const found = (rows: readonly MeasuredRow[] | undefined, kind: string): ByMetric<Measurement> => {
    const group = (rows ?? []).filter((_, row) => input.texts[row]?.kind === kind);
    return byMetric(input.chosen, ({ name, args }) =>
      measure(name, group, { args, seed: input.seed, resamples: 1 }),
    );
  };
  const values = (measured: ByMetric<Measurement>) => mapValues(measured, ({ value }) => value);
  // a bootstrap of every metric of every kind would take longer than all else
  const shares = (measured: ByMetric<Measurement>): ByMetric<Interval> =>
    Object.fromEntries(
      Object.entries(measured).flatMap(([name, { low, high }]) =>
        isMetricName(name) && metricTable[name].interval === 'wilson' ? [[name, [low, high]]] : [],
      ),
    );
  return Object.fromEntries(
    kinds.map((kind) => {
      const [own, other] = [found(input.rows, kind), found(input.baseline?.rows, kind)];
      return [
        kind,
        {
          rows: input.texts.filter((text) => text.kind === kind).length,
          metrics: values(own),
          baseline: values(other),
          intervals: shares(own),
          baselineIntervals: shares(other),
        },
      ];
    }),
  );
}

function sampleOf({ rows, baseline, texts }: ReportInput, row: number): Sample {
  const { file = '', line = 0, prompt = '', answer: reference = '' } = texts[row] ?? {};
  const before = baseline?.rows[row]?.answer;
  return {
    file,
    line,
    prompt,
    reference,
    ...(before === undefined ? {} : { baseline: before }),
    answer: rows[row]?.answer ?? '',
  };
}

const mapValues = <T, U>(values: ByMetric<T>, change: (value: T) => U): ByMetric<U> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
