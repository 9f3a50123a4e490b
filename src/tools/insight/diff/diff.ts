/** Two runs side by side: what went in, what came out, and what it took. */
import { type Difference, differences, toldDifferences } from '../../../pipeline/planner/history.js';
import type { Run, RunStage } from '../runs/index.js';

/** A figure of both runs; `null` if a run does not have it. */
export interface Sides<T> {
  readonly a: T | null;
  readonly b: T | null;
}

export interface RunHead {
  readonly id: string;
  readonly pipeline: string;
  readonly started: number | null;
  readonly status: Run['status'];
  readonly runtime: string;
  readonly ftpc: string;
  readonly errors: readonly string[];
  /** Lines of the journal that cannot be read. */
  readonly unreadable: readonly number[];
}

interface RunChange extends Sides<string> {
  readonly name: string;
}

export interface StageDiff {
  readonly stage: string;
  readonly kind: string;
  readonly status: Sides<RunStage['status']>;
  readonly key: Sides<string>;
  /** Both runs used the same output; `null` if that cannot be known. */
  readonly sameOutput: boolean | null;
  /** Settings, files, inputs and choices that differ; digests and keys as they are. */
  readonly changes: readonly RunChange[];
  readonly seconds: Sides<number>;
  readonly peakMemoryBytes: Sides<number>;
  /** Every metric of either run. */
  readonly metrics: Readonly<Record<string, Sides<number>>>;
  /** Rows that were not kept, by the reason for which either run dropped any. */
  readonly dropped: Readonly<Record<string, Sides<number>>>;
  /** Training: how the losses went. */
  readonly curves: Sides<CurveDiff>;
}

export interface RunDiff {
  readonly version: 1;
  readonly a: RunHead;
  readonly b: RunHead;
  readonly params: readonly RunChange[];
  readonly seconds: Sides<number>;
  readonly peakMemoryBytes: Sides<number>;
  readonly stages: readonly StageDiff[];
}

export function diffRuns(a: Run, b: Run): RunDiff {
  const names = [...new Set([...a.stages, ...b.stages].map(({ name }) => name))];
  const find = (run: Run, name: string): RunStage | undefined =>
    run.stages.find((stage) => stage.name === name);
  return {
    version: 1,
    a: headOf(a),
    b: headOf(b),
    params: differences(a.params, b.params).map(asChange),
    seconds: { a: a.seconds, b: b.seconds },
    peakMemoryBytes: { a: peakOf(a), b: peakOf(b) },
    stages: names.map((name) => diffStage(name, find(a, name), find(b, name))),
  };
}

const headOf = ({ id, pipeline, started, status, runtime, ftpc, errors, damage }: Run): RunHead => ({
  id,
  pipeline,
  started,
  status,
  runtime,
  ftpc,
  errors,
  unreadable: damage?.lines ?? [],
});

/** Of what ran: a cached stage took no memory. */
function peakOf({ stages }: Run): number | null {
  const peaks = stages.flatMap(({ status, peakMemoryBytes }) =>
    status === 'cached' || peakMemoryBytes === null ? [] : [peakMemoryBytes],
  );
  return peaks.length === 0 ? null : Math.max(...peaks);
}

function diffStage(name: string, a: RunStage | undefined, b: RunStage | undefined): StageDiff {
  const pair = <T>(of: (stage: RunStage) => T | null): Sides<T> => ({
    a: a === undefined ? null : of(a),
    b: b === undefined ? null : of(b),
  });
  const [before, after] = [a?.parts, b?.parts];
  const metrics = [...new Set([a, b].flatMap((stage) => Object.keys(stage?.metrics ?? {})))];
  return {
    stage: name,
    kind: a?.kind || b?.kind || '',
    status: pair(({ status }) => status),
    key: pair(({ key }) => key),
    sameOutput:
      a?.key === undefined || b?.key === undefined || a.key === null || b.key === null
        ? null
        : a.key === b.key,
    changes: before == null || after == null ? [] : toldDifferences(before, after).map(asChange),
    seconds: pair((stage) => (wasBegun(stage) ? stage.seconds : null)),
    peakMemoryBytes: pair((stage) => (wasBegun(stage) ? stage.peakMemoryBytes : null)),
    metrics: Object.fromEntries(
      metrics.map((metric) => [metric, pair((stage) => stage.metrics[metric] ?? null)]),
    ),
    dropped: Object.fromEntries(
      [...new Set([a, b].flatMap((stage) => Object.keys(stage?.dropped ?? {})))].map((reason) => [
        reason,
        pair(({ dropped }) => (dropped === null ? null : (dropped[reason] ?? 0))),
      ]),
    ),
    curves: pair(curveOf),
  };
}

/** What waited for a stage that failed took no time and no memory. */
const wasBegun = ({ action }: RunStage): boolean => action !== null;

const asChange = ({ name, before, after }: Difference): RunChange => ({
  name,
  a: before ?? null,
  b: after ?? null,
});

interface CurveDiff {
  readonly steps: number;
  /** Training loss, smoothed over a tenth of the steps: single batches say little. */
  readonly first: number | null;
  readonly last: number | null;
  /** Lowest validation loss and the step at which it was measured. */
  readonly best: number | null;
  readonly bestStep: number | null;
  /** The curve in {@link POINTS} points at most, each the mean of several steps. */
  readonly points: readonly number[];
}

const POINTS = 32;

/** `null` for a stage without steps. */
function curveOf({ steps, validations }: RunStage): CurveDiff | null {
  const losses = steps.flatMap(({ loss }) => (loss === null ? [] : [loss]));
  if (losses.length === 0) return null;
  const window = Math.max(1, Math.round(losses.length / 10));
  const measured = validations.filter(({ loss }) => loss !== null);
  const best = measured.reduce<(typeof measured)[number] | undefined>(
    (lowest, one) => (lowest === undefined || Number(one.loss) < Number(lowest.loss) ? one : lowest),
    undefined,
  );
  return {
    steps: steps.at(-1)?.step ?? losses.length,
    first: mean(losses.slice(0, window)),
    last: mean(losses.slice(-window)),
    best: best?.loss ?? null,
    bestStep: best?.step ?? null,
    points: thinned(losses, POINTS),
  };
}

/** At most `count` values, each the mean of its part. */
function thinned(values: readonly number[], count: number): readonly number[] {
  if (values.length <= count) return values;
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * values.length) / count);
    const to = Math.floor(((index + 1) * values.length) / count);
    return mean(values.slice(from, to));
  });
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const BLOCKS = '▁▂▃▄▅▆▇█';

/** `▇▅▃▂▁`; both ends as given, so that two curves can be drawn to one scale. */
export function sparkline(values: readonly number[], low: number, high: number): string {
  return values
    .map((value) => {
      const share = high > low ? (value - low) / (high - low) : 0;
      const at = Math.round(share * (BLOCKS.length - 1));
      return BLOCKS[Math.min(BLOCKS.length - 1, Math.max(0, at))] ?? '';
    })
    .join('');
}
