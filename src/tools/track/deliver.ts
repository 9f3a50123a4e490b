/** Delivers what trackers do not have yet. Whatever a tracker does, nothing but what is said of it comes of that. */
import type { Host } from '../../language/host/host.js';
import type { Stage, Value } from '../../language/ir/program.js';
import { isCall, isList, isSecret } from '../../language/ir/values.js';
import { trackers as functions, type TrackerName } from '../../language/schemas/functions/tracker.js';
import type { Plan } from '../../pipeline/planner/plan-json.js';
import { bytes, duration } from '../../pipeline/planner/quantities.js';
import { mlflow } from './mlflow.js';
import { keepSpool, type Spool, spools, type Tracking } from './spool.js';
import { tensorboard } from './tensorboard.js';
import { type TrackedRun, trackedRun } from './tracked-run.js';
import type { Tracker, TrackerArgs, TrackerHost } from './tracker.js';
import { wandb } from './wandb.js';

const TRACKERS: Readonly<Record<TrackerName, Tracker>> = { tensorboard, mlflow, wandb };

export const trackerText = ({ tracker, args }: Pick<Tracking, 'tracker' | 'args'>): string =>
  `${tracker} (${TRACKERS[tracker].place(args as TrackerArgs)})`;

const isTracker = (name: string): name is TrackerName => Object.hasOwn(functions, name);

/** The trackers that trainings of a run name, as they are to be given it; `undefined` if none does. */
export function spoolOf(
  runId: string,
  pipeline: string,
  stages: readonly Pick<Stage, 'name' | 'kind' | 'settings'>[],
  plan: Plan | undefined,
): Spool | undefined {
  const trackings = stages.flatMap(({ name: stage, settings: { track } }) =>
    (isList(track) ? track : []).flatMap((call): Tracking[] =>
      isCall(call) && isTracker(call.call)
        ? [{ stage, tracker: call.call, args: { ...call.args }, state: 'pending' }]
        : [],
    ),
  );
  if (trackings.length === 0) return undefined;
  const planned = trackings.map(({ stage }) => [stage, plannedText(plan, stage)]);
  return { version: 1, runId, pipeline, trackings, planned: Object.fromEntries(planned) };
}

function plannedText(plan: Plan | undefined, name: string): string {
  const stage = plan?.stages.find((one) => one.name === name);
  if (plan === undefined || stage === undefined) return '';
  const { peak, seconds, scale, chosen } = stage;
  const rows = [
    ['machine', plan.machine.name],
    ['engine', `${plan.engine}, ${plan.runtime}`],
    ...(peak === null ? [] : [['peak memory', `${bytes(peak.bytes)}, at most ${bytes(peak.high)}`]]),
    ...(seconds === null
      ? []
      : [['time', `${duration(seconds.expected)}, at most ${duration(seconds.high)}`]]),
    ...(scale?.steps == null ? [] : [['steps', String(scale.steps)]]),
    ...(scale?.trainableParameters == null
      ? []
      : [['trainable parameters', String(scale.trainableParameters)]]),
    ...(chosen === null ? [] : [['method', chosen.method]]),
  ];
  return ['| planned | |', '| --- | --- |', ...rows.map(([what, value]) => `| ${what} | ${value} |`)].join(
    '\n',
  );
}

/** How long one tracker may take for one training after a run, and where that is asked for, in milliseconds. */
const LIMIT = 30_000;
export const PATIENT_LIMIT = 300_000;

/**
 * Delivers everything that is pending, once; a tracker that fails is not asked again for other trainings. `own`: of the
 * run that has just ended, which is delivered where it cannot be kept, too.
 */
export async function deliverPending(
  host: Host,
  { limit = LIMIT, own }: { readonly limit?: number; readonly own?: Spool } = {},
): Promise<readonly Spool[]> {
  const failed = new Map<string, string>();
  const after: Spool[] = [];
  const earlier = spools(host).filter(({ runId }) => runId !== own?.runId);
  for (const spool of own === undefined ? earlier : [...earlier, own]) {
    const trackings: Tracking[] = [];
    for (const tracking of spool.trackings)
      trackings.push(
        tracking.state === 'delivered' ? tracking : await delivered(host, spool, tracking, failed, limit),
      );
    const next = { ...spool, trackings };
    after.push(spool === own || JSON.stringify(next) !== JSON.stringify(spool) ? kept(host, next) : next);
  }
  return after;
}

/** What cannot be written says so of what is pending; what was delivered is delivered again, and is there once. */
function kept(host: Host, spool: Spool): Spool {
  try {
    keepSpool(host, spool);
    return spool;
  } catch (error) {
    const why = `what is pending cannot be kept (${error instanceof Error ? error.message : String(error)})`;
    const trackings = spool.trackings.map((tracking) =>
      tracking.state === 'delivered'
        ? tracking
        : { ...tracking, problem: [tracking.problem, why].filter(Boolean).join('; ') },
    );
    return { ...spool, trackings };
  }
}

/**
 * Curves of the trainings of a run that goes on. `known`: how many points each tracker has been given of each; it grows. What goes
 * wrong is said after the run, if it still goes wrong then.
 */
export async function deliverCurves(
  host: Host,
  { runId, trackings }: Spool,
  known: Map<string, number>,
  signal: AbortSignal,
): Promise<void> {
  for (const { stage, tracker, args } of trackings) {
    const run = trackedRun(host, { runId, stage, planned: '' });
    const name = JSON.stringify([stage, tracker, args]);
    if (run === undefined || run.points.length === (known.get(name) ?? 0)) continue;
    // what is measured in the end, and what is said of it, comes after the run
    const curves: TrackedRun = { ...run, status: 'unfinished', figures: [], notes: [] };
    const within = AbortSignal.any([signal, AbortSignal.timeout(LIMIT)]);
    try {
      await TRACKERS[tracker].deliver(curves, args as TrackerArgs, trackerHost(host, within));
      known.set(name, run.points.length);
    } catch {
      // it is asked again
    }
  }
}

const trackerHost = (host: Host, signal: AbortSignal): TrackerHost => ({
  cwd: host.cwd,
  secret: (value: Value | undefined) => (isSecret(value) ? host.env(value.env)?.trim() : undefined),
  signal,
});

async function delivered(
  host: Host,
  { runId, planned }: Spool,
  tracking: Tracking,
  failed: Map<string, string>,
  limit: number,
): Promise<Tracking> {
  const { stage, tracker, args } = tracking;
  const { problem: _, ...clean } = tracking;
  const name = trackerText(tracking);
  const known = failed.get(name);
  if (known !== undefined) return { ...clean, problem: known };
  try {
    const run = trackedRun(host, { runId, stage, planned: planned[stage] ?? '' });
    // it never began: there is nothing to show
    if (run === undefined) return { ...clean, state: 'delivered' };
    const within = trackerHost(host, AbortSignal.timeout(limit));
    const { where } = await TRACKERS[tracker].deliver(run, args as TrackerArgs, within);
    return { ...clean, state: 'delivered', where };
  } catch (error) {
    const problem = whyNot(error, limit);
    failed.set(name, problem);
    return { ...clean, problem };
  }
}

/** What a tracker did, in words: its own errors, those of the network, and those of a disk. */
function whyNot(error: unknown, limit: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `it did not answer within ${duration(limit / 1000)}`;
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  if (error.message === 'fetch failed')
    return `it cannot be reached${code === undefined ? '' : ` (${code})`}`;
  return error.message;
}
