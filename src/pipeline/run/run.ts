/** A run from its first event to its last: lock, journal, plan, stages, budgets. */

import { setMaxListeners } from 'node:events';
import { nodeUnplaced } from '../../language/diagnostics/catalogue/engines.js';
import { type Diagnostic, isError, UserError } from '../../language/diagnostics/types.js';
import { openDigests, readDigestTable } from '../../language/host/digests.js';
import type { RunEngine } from '../../language/ir/engines.js';
import type { RunStatus, StageSummary } from '../../language/ir/events.js';
import type { Program } from '../../language/ir/program.js';
import { noteUse } from '../hub/cache-garbage.js';
import { askedDeviceMemory, computedBy } from '../planner/budget.js';
import { changedFile } from '../planner/keys.js';
import { capacityOf } from '../planner/parallel-stages.js';
import type { Plan, Pricing } from '../planner/plan-json.js';
import { costOf, gpuHours } from '../planner/price.js';
import type { Capacity } from '../planner/side-by-side.js';
import {
  enterStore,
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
import { unknownHost } from './nodes/known-host.js';
import { type Announcement, announce } from './nodes/meeting.js';
import { recorder } from './recorder.js';
import { type RunOutcome, type RunRequest, startEvent } from './request.js';
import { exceededBudgets, type RequirementResults, type StageFigures } from './requirements.js';
import type { StagesOutcome } from './results.js';
import type { RunContext, StagePlan, Watcher } from './run-context.js';
import { runStages } from './scheduler.js';
import { decidedBefore, settleSearch } from './search.js';
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
  const runId = newRunId(host, process.pid);
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
    enterStore(store.layout);
    lock = await takeLock(store.layout, runId, host.now);
    log.into(openJournal(store.layout, runId, host.now));
    await outliveOrphan(store.layout, ORPHAN_PATIENCE);
    store.sweep();
    const first = await runPlanOf(request, store, log);
    if ('status' in first) return finish(first);
    const unknown = await unknownHost(engine);
    if (unknown !== undefined) throw new UserError(unknown);
    let runnable = first;
    announcement = announceTo(engine, store, runId);
    sweepTargets(runnable.stages, host);
    const note = (): void => noteNeeds(request, runnable, store, runId);
    note();
    const unwritable = unwritableTargets(runnable.stages, host, store);
    unwritable.forEach(log.diagnostic);
    if (unwritable.length > 0) return finish({ status: 'failed' });
    const context: Omit<RunContext, keyof ReturnType<typeof stageSettings>> = {
      runId,
      store,
      capacity: runnable.capacity,
      retries: request.retries ?? 0,
      clock: host.clock,
      watcher: log,
      announcement,
      interrupts: { ...interrupts, stop: either(interrupts.stop, asked.signal) },
    };
    const { outcome, last } = await runPlan(request, runnable, context);
    runnable = last;
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

/** The stages, and, once its search is decided, those that are for the winner. `last`: the plan with them. */
async function runPlan(
  request: RunRequest,
  first: RunPlan,
  context: Omit<RunContext, keyof ReturnType<typeof stageSettings>>,
): Promise<{ readonly outcome: StagesOutcome; readonly last: RunPlan }> {
  let last = first;
  const outcome = await runStages(
    first.stages,
    { ...context, ...stageSettings(first.program, request) },
    undefined,
    async (trials, results) => {
      const next = await afterSearch(request, first, context, (run) => settleSearch(run, trials, results));
      if (next === undefined) return [];
      last = next.plan;
      return next.stages;
    },
  );
  return { outcome, last };
}

/** What the winner of a search is for: planned now that it is known. `decide`: whether there is one. */
async function afterSearch(
  request: RunRequest,
  { program, plan, stages }: RunPlan,
  { store, watcher }: Pick<RunContext, 'store' | 'watcher'>,
  decide: (run: Parameters<typeof settleSearch>[0]) => boolean,
): Promise<{ readonly plan: RunPlan; readonly stages: readonly StagePlan[] } | undefined> {
  const { search } = program;
  if (search === undefined || !decide({ host: request.host, program, search, plan, watcher }))
    return undefined;
  const again = await request.prepare(store, 'again');
  if (again.program === undefined || again.plan?.valid !== true) {
    again.diagnostics.filter(isError).forEach(watcher.diagnostic);
    again.plan?.diagnostics.filter(isError).forEach(watcher.diagnostic);
    return undefined;
  }
  const ran = new Set(stages.map(({ stage }) => stage.name));
  const next = asRunPlan(again.program, again.plan, request);
  return { plan: next, stages: next.stages.filter(({ stage }) => !ran.has(stage.name)) };
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
  readonly plan: Plan;
  readonly stages: readonly StagePlan[];
  readonly capacity: Capacity;
  /** What an hour of it costs. */
  readonly cost: Pricing;
}

/** What the text and the plan allow to run, or how the run ends if they do not. */
async function runPlanOf(
  request: RunRequest,
  store: Store,
  { diagnostic, event }: Watcher,
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
  decidedBefore(plan).forEach(event);
  return asRunPlan(program, plan, request);
}

const asRunPlan = (program: Program, plan: Plan, { only }: RunRequest): RunPlan => ({
  program,
  plan,
  stages: stagePlansOf(program, plan, only),
  capacity: capacityOf(plan),
  cost: plan.cost,
});

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
): Pick<RunContext, 'engine' | 'search' | 'shared' | 'verify' | 'changedFile'> => ({
  engine,
  ...(program.search === undefined ? {} : { search: program.search }),
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
