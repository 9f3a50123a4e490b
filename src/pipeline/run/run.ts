/** A run from its first event to its last: lock, journal, plan, stages, budgets. */

import { setMaxListeners } from 'node:events';
import { nodeUnplaced } from '../../language/diagnostics/catalogue/engines.js';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import { openDigests, readDigestTable } from '../../language/host/digests.js';
import type { RunEngine } from '../../language/ir/engines.js';
import type { RunStatus, StageSummary } from '../../language/ir/events.js';
import type { Program } from '../../language/ir/program.js';
import { noteUse } from '../hub/cache-garbage.js';
import { askedDeviceMemory, computedBy } from '../planner/budget.js';
import { changedFile } from '../planner/keys.js';
import { capacityOf } from '../planner/parallel-stages.js';
import type { Pricing } from '../planner/plan-json.js';
import { costOf, gpuHours } from '../planner/price.js';
import type { Capacity } from '../planner/side-by-side.js';
import {
  newRunId,
  noteRun,
  openJournal,
  openStore,
  outliveOrphan,
  type RunLock,
  type Store,
  takeLock,
  watchStops,
} from '../store/index.js';
import { InterruptedError } from './messages.js';
import { followRun, isFollower } from './nodes/follow-run.js';
import { type Announcement, announce } from './nodes/meeting.js';
import { recorder } from './recorder.js';
import { type RunOutcome, type RunRequest, startEvent } from './request.js';
import { exceededBudgets, type RequirementResults, type StageFigures } from './requirements.js';
import type { StagesOutcome } from './results.js';
import type { RunContext, StagePlan, Watcher } from './run-context.js';
import { runStages } from './scheduler.js';
import { stagePlansOf, sweepTargets, unwritableTargets } from './stage-plans.js';
import type { Interrupts } from './stage-process.js';

/** Never throws for what a user can cause: the last event says how it ended. */
export async function runPipeline(
  request: RunRequest,
  watcher: Watcher,
  interrupts: Interrupts,
): Promise<RunOutcome> {
  const { host, engine } = request;
  if (isFollower(engine)) return followRun(request, engine, watcher, interrupts);
  const store = openStore(host.cwd, host.store);
  const runId = newRunId(host.now(), process.pid);
  const begun = host.clock();
  const log = recorder(watcher, request.describe);
  log.event(startEvent(request, runId));
  const seconds = (): number => (host.clock() - begun) / 1000;
  let announcement: Announcement | undefined;
  const finish = ({ status, stages = [], findings = {} }: RunEnd): RunOutcome => {
    announcement?.close(status);
    log.event({ type: 'run.finished', status, seconds: seconds(), stages });
    return { runId, status, stages, findings };
  };
  const asked = stopRequests(store, runId, log);
  let lock: RunLock | undefined;
  try {
    lock = await takeLock(store.layout, runId, host.now);
    log.into(openJournal(store.layout, runId, host.now));
    await outliveOrphan(store.layout, ORPHAN_PATIENCE);
    store.sweep();
    const runnable = await runPlanOf(request, store, log);
    if ('status' in runnable) return finish(runnable);
    announcement = announceTo(engine, store, runId);
    sweepTargets(runnable.stages, host);
    const note = (): void => noteNeeds(request, runnable, store, runId);
    note();
    const unwritable = unwritableTargets(runnable.stages, host, store);
    unwritable.forEach(log.diagnostic);
    if (unwritable.length > 0) return finish({ status: 'failed' });
    const outcome = await runStages(runnable.stages, {
      runId,
      store,
      ...stageSettings(runnable.program, request),
      capacity: runnable.capacity,
      retries: request.retries ?? 0,
      clock: host.clock,
      watcher: log,
      announcement,
      interrupts: { ...interrupts, stop: either(interrupts.stop, asked.signal) },
    });
    // once more, with the releases that there are now
    note();
    const exceeded = overBudget(runnable, outcome, seconds());
    exceeded.forEach(log.diagnostic);
    return finish({
      status: statusOf(outcome, exceeded.length > 0),
      stages: outcome.summaries,
      findings: outcome.findings,
    });
  } catch (error) {
    if (!(error instanceof UserError)) {
      finish({ status: 'failed' });
      throw error;
    }
    log.diagnostic(error.diagnostic);
    return finish({ status: 'failed' });
  } finally {
    log.close();
    lock?.release();
    asked.close();
  }
}

/** The other machines of a run are told what to join. */
const announceTo = (engine: RunEngine, { layout }: Store, runId: string): Announcement | undefined =>
  engine.name === 'accelerate' && engine.nodes > 1 && engine.rendezvous !== undefined
    ? announce(layout, engine.rendezvous, runId)
    : undefined;

function either(one: AbortSignal, other: AbortSignal): AbortSignal {
  const signal = AbortSignal.any([one, other]);
  // every stage that runs listens
  setMaxListeners(0, signal);
  return signal;
}

/** Another process may ask this run to end. */
function stopRequests(
  { layout: { root, shared } }: Store,
  runId: string,
  log: Watcher,
): { readonly signal: AbortSignal; close(): void } {
  const asked = new AbortController();
  const { close } = watchStops([...new Set([root, shared])], runId, (by) => {
    log.event({ type: 'run.stopping', by });
    asked.abort(new InterruptedError());
  });
  return { signal: asked.signal, close };
}

/** Tells those who tidy up what this run is about to use. */
function noteNeeds(
  { host, pipeline }: RunRequest,
  { program, stages }: RunPlan,
  { layout }: Store,
  runId: string,
): void {
  noteRun(host, layout, { runId, pipeline, keys: stages.map(({ key }) => key) });
  noteUse(host, program.repositories ?? []);
}

interface RunEnd {
  readonly status: RunStatus;
  readonly stages?: readonly StageSummary[];
  readonly findings?: RequirementResults;
}

interface RunPlan {
  readonly program: Program;
  readonly stages: readonly StagePlan[];
  readonly capacity: Capacity;
  /** What an hour of it costs. */
  readonly cost: Pricing;
}

/** What the text and the plan allow to run, or how the run ends if they do not. */
async function runPlanOf(
  request: RunRequest,
  store: Store,
  { diagnostic }: Watcher,
): Promise<RunPlan | RunEnd> {
  const unplaced = nodePlace(request.engine);
  if (unplaced !== undefined) {
    diagnostic(unplaced);
    return { status: 'failed' };
  }
  const { program, plan, diagnostics } = await request.prepare(store);
  diagnostics.forEach(diagnostic);
  if (program === undefined || plan === undefined) return { status: 'failed' };
  plan.diagnostics.forEach(diagnostic);
  if (plan.budget.some(({ holds }) => holds === false)) return { status: 'budget_exceeded' };
  if (!plan.valid) return { status: 'failed' };
  return {
    program,
    stages: stagePlansOf(program, plan, request.only),
    capacity: capacityOf(plan),
    cost: plan.cost,
  };
}

/** One of several machines has to know which it is, and where they meet. */
function nodePlace(engine: RunEngine): Diagnostic | undefined {
  if (engine.name === 'embedded' || engine.nodes === 1) return undefined;
  const missing =
    engine.node === undefined ? '--node' : engine.rendezvous === undefined ? '--rendezvous' : '';
  return missing === '' ? undefined : nodeUnplaced(engine.nodes, missing);
}

const stageSettings = (
  program: Program,
  { host, engine, runtime, threads, verify }: RunRequest,
): Pick<RunContext, 'engine' | 'shared' | 'verify' | 'changedFile'> => ({
  engine,
  shared: {
    folder: program.folder,
    runtime,
    threads,
    deviceMemory: askedDeviceMemory(program),
    repositories: program.repositories ?? [],
  },
  verify,
  changedFile: ({ stage, parts }) =>
    changedFile(program, stage, parts, host, {
      digests: openDigests(host, readDigestTable(host)),
      runtime: computedBy(host, engine, runtime),
    }),
});

function overBudget(
  { program, cost }: RunPlan,
  { summaries, peakMemoryBytes }: StagesOutcome,
  seconds: number,
): readonly Diagnostic[] {
  const took = {
    peak_memory: peakMemoryBytes,
    wall_time: seconds,
    gpu_hours: gpuHours(seconds, cost),
    ...(cost.usdPerHour === null ? {} : { cost: costOf(seconds, cost) }),
  };
  return exceededBudgets(program.budgets, took, stageFigures(summaries));
}

function statusOf({ interrupted, failed, gateClosed }: StagesOutcome, overBudget: boolean): RunStatus {
  if (interrupted) return 'interrupted';
  if (failed) return 'failed';
  if (gateClosed) return 'gate_failed';
  return overBudget ? 'budget_exceeded' : 'done';
}

/** How long the process of a killed run may take to save its state before it is ended. */
const ORPHAN_PATIENCE = 20_000;

/** What did not run, or failed, has measured nothing; what is cached took neither time nor memory now. */
const stageFigures = (stages: readonly StageSummary[]): StageFigures =>
  Object.fromEntries(
    stages
      .filter(({ status }) => status === 'done' || status === 'cached')
      .map(({ name, status, metrics, peakMemoryBytes, seconds }) => [
        name,
        { ...metrics, peak_memory: status === 'cached' ? 0 : peakMemoryBytes, wall_time: seconds },
      ]),
  );
