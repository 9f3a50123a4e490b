/** What the dashboard shows, as JSON. */
import type { ReleaseAnswers } from '../../../compute/packaging/manifest.js';
import type { Comparison } from '../comparison/compare.js';
import type { ReleaseTally } from '../comparison/release-tally.js';
import { type AnswerFigures, evaluatedFigures, servedFigures } from './answer-figures.js';
import type { ReleaseLoad } from './prometheus.js';
import type { QuantileSketch } from './quantile-sketch.js';
import { CELL, type TrafficWindow, type WindowPoint } from './traffic-window.js';

/** A release and its canary, and since when (milliseconds since the epoch): what is compared. */
export interface ComparedPair {
  readonly current: number;
  readonly canary: number;
  readonly since: number;
}

interface Quantiles {
  /** Seconds; null where nothing was answered. */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

export interface ReleaseTraffic {
  readonly release: number;
  /** `past`: it gets no new requests. */
  readonly role: string;
  readonly share: number;
  readonly running: number;
  readonly waiting: number;
  /** Since the beginning of the journal that was read. */
  readonly requests: number;
  readonly errors: number;
  readonly up: number;
  readonly down: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly answerTokens: number;
  readonly seconds: Quantiles;
  readonly firstToken: Quantiles;
  /** Of its answers, and of those of the evaluation before its release; null where there are none. */
  readonly quality: AnswerFigures;
  readonly evaluated: AnswerFigures;
  /** The last ten minutes. */
  readonly lately: Quantiles;
  readonly points: readonly WindowPoint[];
}

export interface DashboardData {
  readonly version: 1;
  readonly model: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly began: number;
  /** Seconds of a point. */
  readonly cell: number;
  /** Requests that are being answered or wait. */
  readonly open: number;
  /** Requests that never came to a model: the queue was full, or they were wrong. */
  readonly refused: number;
  readonly releases: readonly ReleaseTraffic[];
  readonly comparison: (ComparedPair & { readonly measures: readonly Comparison[] }) | null;
}

export interface TrafficState {
  readonly model: string;
  readonly began: number;
  readonly now: number;
  readonly open: number;
  readonly refused: number;
  readonly loads: readonly ReleaseLoad[];
  readonly tallies: ReadonlyMap<number, ReleaseTally>;
  readonly windows: ReadonlyMap<number, TrafficWindow>;
  /** What answers of a release's evaluation were like. */
  readonly evaluated: (release: number) => ReleaseAnswers | undefined;
  readonly comparison?: ComparedPair & { readonly measures: readonly Comparison[] };
}

export function dashboardData(state: TrafficState): DashboardData {
  const { model, now, began, open, refused, loads, tallies } = state;
  const numbers = [...new Set([...loads.map(({ release }) => release), ...tallies.keys()])];
  return {
    ...{ version: 1, model, now, began, cell: CELL, open, refused },
    releases: numbers.map((number) => releaseTraffic(state, number)).sort(byRole),
    comparison: state.comparison ?? null,
  };
}

const ROLES = ['only', 'current', 'canary', 'past'];
const byRole = (a: ReleaseTraffic, b: ReleaseTraffic): number =>
  ROLES.indexOf(a.role) - ROLES.indexOf(b.role) || b.release - a.release;

function releaseTraffic(state: TrafficState, release: number): ReleaseTraffic {
  const tally = state.tallies.get(release);
  const window = state.windows.get(release);
  const load = state.loads.find((each) => each.release === release);
  return {
    release,
    ...{ role: load?.role ?? 'past', share: load?.share ?? 0 },
    ...{ running: load?.running ?? 0, waiting: load?.waiting ?? 0 },
    ...{ requests: tally?.requests ?? 0, errors: tally?.errors ?? 0 },
    ...{ up: tally?.up ?? 0, down: tally?.down ?? 0 },
    promptTokens: tally?.promptTokens ?? 0,
    cachedTokens: tally?.cachedTokens ?? 0,
    answerTokens: tally?.answerTokens ?? 0,
    seconds: quantiles(tally?.seconds),
    firstToken: quantiles(tally?.firstToken),
    quality: servedFigures(tally),
    evaluated: evaluatedFigures(state.evaluated(release)),
    lately: quantiles(window?.seconds(state.now)),
    points: window?.points(state.now) ?? [],
  };
}

const quantiles = (sketch: QuantileSketch | undefined): Quantiles => ({
  p50: sketch?.quantile(0.5) ?? null,
  p95: sketch?.quantile(0.95) ?? null,
  p99: sketch?.quantile(0.99) ?? null,
});
