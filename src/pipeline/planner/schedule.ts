/** Runs a plan in thought, so many stages at once: how long it takes, and what it takes at most. */
import type { Seconds } from './plan-json.js';
import { type Capacity, peakAtOnce, type StageLoad, startNow, type Usage } from './side-by-side.js';

/** A stage of a plan. */
export interface PlannedLoad extends StageLoad {
  /** Alone, with all cores; `null` if it is not known. */
  readonly seconds: Seconds | null;
  /** Nothing is done for it. */
  readonly cached: boolean;
  /** Bytes that are expected. */
  readonly peakBytes: number;
  /** Cores that it keeps busy while it runs alone, on average. */
  readonly cores: number;
}

interface Schedule {
  /** `null` if the time of a stage is not known. */
  readonly seconds: Seconds | null;
  /** The most that is taken at once. */
  readonly peakBytes: number;
}

/** Stages that keep more cores busy than there are take longer, all by the same factor. */
export function scheduleOf(loads: readonly PlannedLoad[], cores: number, capacity: Capacity): Schedule {
  const run = (secondsOf: (seconds: Seconds | null) => number): Simulated =>
    simulate(
      loads.map((load) => ({ ...load, alone: load.cached ? 0 : secondsOf(load.seconds) })),
      cores,
      capacity,
    );
  // as if all took equally long
  if (loads.some(({ seconds }) => seconds === null))
    return { seconds: null, peakBytes: run(() => 1).peakBytes };
  const figure = (name: keyof Seconds): Simulated => run((seconds) => seconds?.[name] ?? 0);
  const expected = figure('expected');
  return {
    seconds: { expected: expected.seconds, low: figure('low').seconds, high: figure('high').seconds },
    peakBytes: expected.peakBytes,
  };
}

interface TimedLoad extends PlannedLoad {
  /** Seconds, were it alone. */
  readonly alone: number;
}

interface RunningLoad {
  readonly load: TimedLoad;
  readonly from: number;
  /** Seconds, were it alone. */
  readonly left: number;
}

interface Simulated {
  readonly seconds: number;
  readonly peakBytes: number;
}

function simulate(loads: readonly TimedLoad[], cores: number, capacity: Capacity): Simulated {
  const usages: Usage[] = [];
  const done = new Set<string>();
  const made = new Set<string>();
  let waiting = loads;
  let running: readonly RunningLoad[] = [];
  let now = 0;
  for (;;) {
    const ready = waiting.filter(({ after }) => after.every((name) => done.has(name)));
    const free = ready.filter(({ key, alone }) => alone === 0 || made.has(key));
    for (const { name } of free) done.add(name);
    const others = running.map(({ load }) => load);
    const started = free.length > 0 ? free : startNow(ready, others, capacity);
    waiting = waiting.filter((load) => !started.includes(load));
    if (free.length > 0) continue;
    running = [...running, ...started.map((load) => ({ load, from: now, left: load.alone }))];
    if (running.length === 0) return { seconds: now, peakBytes: peakAtOnce(usages) };
    const step = Math.min(...running.map(({ left }) => left));
    now += step * slowdown(running, cores);
    const after = running.map((one) => ({ ...one, left: one.left - step }));
    for (const { load, from } of after.filter(({ left }) => left <= 0)) {
      usages.push({ from, to: now, bytes: load.peakBytes });
      done.add(load.name);
      made.add(load.key);
    }
    running = after.filter(({ left }) => left > 0);
  }
}

const slowdown = (running: readonly RunningLoad[], cores: number): number =>
  Math.max(1, running.reduce((sum, { load }) => sum + load.cores, 0) / cores);

/** Time saved, as a share, below which stages do not run at once: what is planned is not that exact. */
const WORTH = 0.1;
/** Stages at once that are tried: each has a process of its own to start and to follow. */
const MOST = 16;

/**
 * The number of stages at once with which a run is planned to be done first, and the least of those that are about as
 * quick: 1 where nothing is gained, and where times are not known.
 */
export function quickest(
  loads: readonly PlannedLoad[],
  cores: number,
  capacity: Omit<Capacity, 'stages'>,
): number {
  const seconds = (stages: number): number | undefined =>
    scheduleOf(loads, cores, { ...capacity, stages }).seconds?.expected;
  let best = { stages: 1, seconds: seconds(1) };
  const running = loads.filter(({ cached }) => !cached).length;
  for (let stages = 2; stages <= Math.min(running, MOST) && best.seconds !== undefined; stages++) {
    const next = { stages, seconds: seconds(stages) };
    if (next.seconds !== undefined && next.seconds < best.seconds * (1 - WORTH)) best = next;
  }
  return best.stages;
}
