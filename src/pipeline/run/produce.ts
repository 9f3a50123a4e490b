import { join, relative } from 'node:path';
import { ModelError } from '../../compute/models/types.js';
import { ENTRY_DAMAGED } from '../../compute/packaging/sealed.js';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import { HostError } from '../../language/host/host.js';
import { nodeHost } from '../../language/host/node-host.js';
import { discard } from '../../language/host/own-files.js';
import type { RunEvent } from '../../language/ir/events.js';
import { keepPace } from '../planner/time/pace.js';
import type { Artefact } from '../stages/stage.js';
import { stageEngine, underPlan } from '../stages/stage-engine.js';
import type { Recovery } from '../stages/train/recovery.js';
import {
  type Claim,
  forgetChild,
  fromCwd,
  noteChild,
  runFolder,
  SCRATCH,
  writeWhole,
} from '../store/index.js';
import { isDeviceHeld } from './busy-device.js';
import type { EndOfProcess, StageEnd, StageTask } from './messages.js';
import { keepPrinted, printedPath } from './printed.js';
import { retrying } from './retry.js';
import type { RunContext, StageOutcome, StagePlan } from './run-context.js';
import { claimLost, fileChanged } from './run-diagnostics.js';
import { runInProcess } from './stage-process.js';

/** What a stage is run with besides its plan. */
export interface StageInputs {
  readonly artefacts: Readonly<Record<string, Artefact>>;
  /** Other stages may compute at the same time. */
  readonly crowded: boolean;
}

/** Runs a stage and puts its output into the store. Throws a `UserError` if the disk refuses. */
export async function produce(
  plan: StagePlan,
  { artefacts, crowded }: StageInputs,
  context: RunContext,
  claim: Claim,
): Promise<StageOutcome> {
  const { stage, key, parts, trainPlan, residency, encoders } = plan;
  const { store, shared, watcher } = context;
  const begun = context.clock();
  // else a checkpoint of the new content would be under the key of the old one, and a run with the old file would resume from it
  const other = context.changedFile(plan);
  if (other !== undefined) throw new UserError(fileChanged(stage, other, 'before'));
  const output = store.begin(key, stage.kind === 'deploy');
  try {
    if (trainPlan !== undefined) store.noteBegun({ key, parts });
    const paths = { cwd: store.layout.cwd, output, work: store.workPath(key) };
    const engine = stageEngine(context.engine, trainPlan);
    const task = {
      ...shared,
      ...paths,
      stage,
      inputs: artefacts,
      engine,
      trainPlan,
      residency,
      encoders,
      key,
      crowded,
    };
    if (engine?.nodes !== undefined) invite(context, plan, task.work);
    let step: number | undefined;
    const watched = {
      ...context,
      watcher: {
        ...watcher,
        event: (event: RunEvent): void => {
          if (event.type === 'checkpoint.saved') step = event.step;
          watcher.event(event);
        },
      },
    };
    const { end, peakMemoryBytes } = await retrying(
      stage.name,
      context,
      () => {
        store.begin(key, stage.kind === 'deploy');
        return tryUntilItFits(task, watched, claim);
      },
      { isAllowed: () => !claim.lost.aborted, isDeviceHeld: () => isDeviceHeld(plan.deviceBytes) },
    );
    if (claim.lost.aborted) throw new UserError(claimLost(stage));
    if (end.how !== 'done') {
      if (end.how === 'failed') {
        watcher.diagnostic(withTrace(end, context));
        if (end.diagnostic.code === ENTRY_DAMAGED) dropDamaged(artefacts, context);
      }
      const saved = end.how === 'interrupted' ? end.saved : undefined;
      return { cached: false, interrupted: end.how === 'interrupted', saved, step, peakMemoryBytes };
    }
    // what was read is not what the key says: it would be found as the output of files that never led to it
    const changed = context.changedFile(plan);
    if (changed !== undefined) {
      store.dropWork(key);
      throw new UserError(fileChanged(stage, changed, 'while'));
    }
    const seconds = (context.clock() - begun) / 1000;
    const sealing = { kind: stage.kind, key, parts, result: end.result, seconds, peakMemoryBytes };
    const files = await store.digest(output);
    if (claim.lost.aborted) throw new UserError(claimLost(stage));
    const entry = store.seal(output, sealing, files);
    store.dropWork(key);
    notePace(plan, end.result, context);
    return { entry, cached: false, interrupted: false, peakMemoryBytes };
  } finally {
    context.announcement?.training(null);
    store.discard(output);
  }
}

/** The rate that was reached is what the next plan of this machine counts with. */
function notePace(
  { pace }: StagePlan,
  { metrics }: { readonly metrics: Readonly<Record<string, number>> },
  { store, watcher }: RunContext,
): void {
  const reached = metrics['tokens_per_second'];
  if (pace === undefined || reached === undefined) return;
  try {
    keepPace(nodeHost(store.layout.cwd), pace, reached);
  } catch (error) {
    // a rate that is not kept costs the exactness of the next plan, nothing else
    if (!(error instanceof UserError)) throw error;
    watcher.diagnostic({ ...error.diagnostic, severity: 'warning' });
  }
}

/**
 * Other machines may join the stage as soon as its specification is in its folder; what an earlier run has left, nobody
 * is to join.
 */
function invite({ announcement, store }: RunContext, { stage }: StagePlan, work: string): void {
  const scratch = join(work, SCRATCH);
  discard(scratch);
  announcement?.training({ stage: stage.name, folder: relative(store.layout.shared, scratch) });
}

/** What was read was not what was sealed: all that this run has is read, so that the next run makes again what is damaged. */
function dropDamaged(artefacts: Readonly<Record<string, Artefact>>, { store, watcher }: RunContext): void {
  for (const { key } of Object.values(artefacts))
    store.find(key, { verify: true, remove: watcher.diagnostic, report: watcher.diagnostic });
}

/** A training run that the system kills because memory ran out resumes from its checkpoint, with less at a time. */
async function tryUntilItFits(
  first: StageTask,
  { runId, store, watcher, interrupts }: RunContext,
  claim: Claim,
): Promise<EndOfProcess> {
  const { layout } = store;
  const printed = keepPrinted(printedPath(layout, runId, first.stage.name));
  let peak = 0;
  let pid: number | undefined;
  for (let task = first; ; ) {
    const { end, peakMemoryBytes } = await runInProcess(
      task,
      {
        event: (event) => {
          if (event.type === 'stage.progress') {
            const { done, total, unit } = event;
            claim.progress({ done, total, unit });
          }
          const isSaved = event.type === 'checkpoint.saved';
          watcher.event(isSaved ? { ...event, path: fromCwd(layout.cwd, event.path) } : event);
        },
        diagnostic: watcher.diagnostic,
        started: (id) => {
          pid = id;
          noteChild(layout, id);
          claim.child(id);
        },
        printed,
      },
      // who has taken over writes the same checkpoints
      { ...interrupts, kill: AbortSignal.any([interrupts.kill, claim.lost]) },
    );
    if (pid !== undefined) forgetChild(layout, pid);
    peak = Math.max(peak, peakMemoryBytes);
    const next = end.how === 'failed' && end.starved === true ? await retryOf(task) : undefined;
    if (next === undefined || end.how !== 'failed') return { end, peakMemoryBytes: peak };
    const { name } = task.stage;
    watcher.event({ type: 'recovery', stage: name, cause: end.diagnostic.message, change: next.change });
    store.begin(task.key, task.stage.kind === 'deploy');
    task = { ...task, trainPlan: next.plan, engine: task.engine && underPlan(task.engine, next.plan) };
  }
}

/** The trace of a bug goes into a file: a user cannot do anything with it but send it. */
function withTrace(end: Extract<StageEnd, { how: 'failed' }>, context: RunContext): Diagnostic {
  if (end.trace === undefined) return end.diagnostic;
  const { layout } = context.store;
  const path = join(runFolder(layout, context.runId), 'crash.txt');
  writeWhole(path, `${end.trace}\n`, { sync: false });
  return { ...end.diagnostic, notes: [`the trace is in \`${fromCwd(layout.cwd, path)}\``] };
}

/**
 * What to try after the system has killed a training run because memory ran out: what the stage itself would try when an
 * allocation fails. `undefined` if the stage is no training, or nothing is left to try.
 */
async function retryOf({ cwd, ...task }: StageTask): Promise<Recovery | undefined> {
  const { stage, trainPlan } = task;
  if (stage.kind !== 'train' || trainPlan === undefined) return undefined;
  const { recoverKilled } = await import('../stages/train/recovery.js');
  try {
    return recoverKilled(trainPlan, { ...task, host: nodeHost(cwd) });
  } catch (error) {
    // The base cannot be read any more: the kill is what the user has to be told.
    if (error instanceof ModelError || error instanceof HostError || error instanceof UserError)
      return undefined;
    throw error;
  }
}
