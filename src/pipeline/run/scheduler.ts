/** Runs the stages of a program, each in its own process, each output kept once; several at once where the plan allows it. */

import { UserError } from '../../language/diagnostics/types.js';
import type { RunEvent, StageAction, StageStatus } from '../../language/ir/events.js';
import { duration } from '../planner/quantities.js';
import { resumed } from '../planner/reasons.js';
import { startNow } from '../planner/side-by-side.js';
import type { Claim, ClaimHolder, StoreEntry } from '../store/index.js';
import { openPlaces, type Place, type Places } from './places.js';
import { produce, type StageInputs } from './produce.js';
import { openResults, type Results, type StagesOutcome } from './results.js';
import type { RunContext, StageOutcome, StagePlan, Watcher } from './run-context.js';
import { notSaved } from './run-diagnostics.js';
import { type Leg, lenient, openTrials, type Trials } from './trials.js';

/**
 * Stages start in the order of the plan, as soon as what they read is there and they fit next to those that run. One that
 * waits for another process takes no place, and has to fit again before it runs. The failure of one blocks what depends
 * on it, and nothing else.
 */
export async function runStages(
  first: readonly StagePlan[],
  context: RunContext,
  make: typeof produce = produce,
  follow?: Follow,
): Promise<StagesOutcome> {
  const results = openResults(context);
  const trials = openTrials(first, context, results);
  await runReady(first, { context, results, trials, make, all: first });
  const next = (results.wasInterrupted() ? undefined : await follow?.(trials, results)) ?? [];
  const all = [...first, ...next];
  if (next.length > 0)
    await runReady(next, { context: { ...context, search: undefined }, results, trials, make, all });
  return results.outcome(all.map(({ stage }) => stage.name));
}

/** What is to run once all else is over. */
type Follow = (trials: Trials, results: Results) => Promise<readonly StagePlan[]>;

interface Running {
  readonly context: RunContext;
  readonly results: Results;
  readonly trials: Trials;
  readonly make: typeof produce;
  /** These and those that ran before. */
  readonly all: readonly StagePlan[];
}

async function runReady(
  plans: readonly StagePlan[],
  { context, results, trials, make, all }: Running,
): Promise<void> {
  const search = outputSearch(context);
  const running = new Map<StagePlan, Promise<void>>();
  const places = openPlaces();
  let waiting = plans;
  let bug: { readonly error: unknown } | undefined;
  const begin = (plan: StagePlan, found?: StoreEntry): void => {
    waiting = waiting.filter((other) => other !== plan);
    const inputs = inputsOf(plan, { plans: all, open: [...waiting, ...running.keys()], results });
    const leg = found === undefined ? trials.leg(plan) : undefined;
    const own = leg?.context ?? context;
    const ended = settle(
      plan,
      { found, inputs, make, place: places.of(plan), isPart: leg && ((done) => isPart(done, leg)) },
      trials.has(plan.stage) ? lenient(own) : own,
      results,
    )
      .then((isOver) => {
        // it has got to its next rung
        if (!isOver) waiting = plans.filter((other) => other === plan || waiting.includes(other));
      })
      .catch((error: unknown) => {
        bug ??= { error };
      })
      .finally(() => {
        running.delete(plan);
        places.forget(plan);
        search.again(plan.key);
      });
    running.set(plan, ended);
  };
  while (waiting.length > 0 || running.size > 0) {
    const changed = places.changed();
    const isOver = bug !== undefined || context.interrupts.stop.aborted;
    for (const plan of isOver ? [] : trials.ended()) {
      waiting = waiting.filter((other) => other !== plan);
      results.add(plan.stage, 'ended');
    }
    waiting = withoutLost(waiting, { isOver: bug !== undefined, results, stop: context.interrupts.stop });
    const busy = [...running.keys()];
    const ready = readyOf(waiting, busy).filter((plan) => !trials.waits(plan));
    const known = ready.find(({ key }) => search.find(key) !== undefined);
    if (isOver) for (const plan of places.asking()) places.answer(plan, false);
    else if (known !== undefined) begin(known, search.find(known.key));
    else
      for (const plan of fitting(ready, busy, places, context))
        if (running.has(plan)) places.answer(plan, true);
        else begin(plan);
    if (running.size > 0) await Promise.race([...running.values(), changed]);
  }
  if (bug !== undefined) throw bug.error;
}

/** Whether a training stopped at a rung, or went past it to its end: then it is compared before it counts. */
const isPart = (done: StageOutcome, leg: Leg): boolean =>
  done.entry !== undefined || (done.interrupted && leg.hasStopped());

/** Those that run from now on: first those that have waited for another process, and then those that begin. */
const fitting = (
  ready: readonly StagePlan[],
  busy: readonly StagePlan[],
  places: Places,
  { capacity }: Pick<RunContext, 'capacity'>,
): readonly StagePlan[] =>
  startNow(
    [...places.asking(), ...ready].map((plan) => ({ ...plan.load, plan })),
    busy.filter((plan) => !places.isAway(plan)).map(({ load }) => load),
    capacity,
  ).map(({ plan }) => plan);

/** Those whose inputs are there, or known not to come; what another stage is making is waited for. */
function readyOf(waiting: readonly StagePlan[], busy: readonly StagePlan[]): readonly StagePlan[] {
  const open = new Set([...waiting, ...busy].map(({ stage }) => stage.name));
  return waiting.filter(
    ({ load, key }) => !load.after.some((name) => open.has(name)) && busy.every((other) => other.key !== key),
  );
}

interface Ending {
  readonly isOver: boolean;
  readonly stop: AbortSignal;
  readonly results: Results;
}

/** Says of stages that will not run that they are blocked, and of those that depend on them. */
function withoutLost(waiting: readonly StagePlan[], { isOver, stop, results }: Ending): readonly StagePlan[] {
  if (stop.aborted && waiting.length > 0) results.interrupt();
  return waiting.filter(({ stage }) => {
    const isLost = isOver || stop.aborted || stage.inputs.some(results.isLost);
    if (isLost) results.add(stage, stage.inputs.some(results.isEnded) ? 'ended' : 'blocked');
    return !isLost;
  });
}

/** Looks for each output once, and again after a stage that may have made it. */
function outputSearch(context: RunContext) {
  const looked = new Map<string, StoreEntry | undefined>();
  return {
    find(key: string): StoreEntry | undefined {
      if (!looked.has(key)) looked.set(key, findOutput(key, context));
      return looked.get(key);
    },
    again: (key: string): void => void looked.delete(key),
  };
}

const findOutput = (key: string, { store, verify, watcher }: RunContext): StoreEntry | undefined =>
  store.find(key, { verify, remove: watcher.diagnostic, report: watcher.diagnostic });

interface Surroundings {
  readonly plans: readonly StagePlan[];
  /** Those that are not over. */
  readonly open: readonly StagePlan[];
  readonly results: Results;
}

/** What a stage can reach, and nothing of what else happened to have run; and whether others may compute next to it. */
function inputsOf(plan: StagePlan, { plans, open, results }: Surroundings): StageInputs {
  const reach = reachOf(plan, plans);
  const crowded = open.some(
    (other) =>
      other.load.computes && !reach.has(other.stage.name) && !reachOf(other, plans).has(plan.stage.name),
  );
  const artefacts = Object.entries(results.artefacts).filter(([name]) => reach.has(name));
  return { artefacts: Object.fromEntries(artefacts), crowded };
}

/** Names of the stages that one reads, near and far. */
function reachOf({ stage }: StagePlan, plans: readonly StagePlan[]): ReadonlySet<string> {
  const reached = new Set(stage.inputs);
  for (const other of plans.toReversed())
    if (reached.has(other.stage.name)) for (const name of other.stage.inputs) reached.add(name);
  return reached;
}

interface Making {
  readonly found: StoreEntry | undefined;
  readonly inputs: StageInputs;
  readonly make: typeof produce;
  readonly place: Place;
  /** Of a training that is compared on its way: whether it is not over. */
  readonly isPart: ((done: StageOutcome) => boolean) | undefined;
}

/** Takes an output that was found, waits for who makes it, or runs the stage; and adds what came of it. Whether it is over. */
async function settle(
  plan: StagePlan,
  { found, inputs, make, place, isPart }: Making,
  context: RunContext,
  results: Results,
): Promise<boolean> {
  const { clock, capacity } = context;
  let begun = clock();
  const crowded = inputs.crowded && capacity.stages > 1 && !capacity.hasDevice;
  const done =
    found === undefined
      ? await claimed(plan, context, place, (claim) => {
          // what it waited it took nothing
          begun = clock();
          return make(plan, { ...inputs, crowded }, context, claim);
        })
      : cached(plan, found, context);
  if (isPart?.(done)) return false;
  if (done.saved !== undefined) tellSaved(plan, done, context);
  const holds = results.take(plan, done);
  const status: StageStatus = !holds ? 'failed' : done.cached ? 'cached' : 'done';
  results.add(plan.stage, status, { ...done, begun, ended: done.cached ? begun : clock() });
  return true;
}

/** Says of a stage that was interrupted whether its progress was saved; only a training has any. */
function tellSaved({ stage, key }: StagePlan, { saved, step }: StageOutcome, context: RunContext): void {
  if (stage.kind !== 'train') return;
  const { store, watcher, interrupts } = context;
  const { notice } = interrupts;
  const within = notice === undefined ? '' : ` within the notice of ${duration(notice)}`;
  const from =
    step !== undefined
      ? `the checkpoint of step ${step}`
      : store.resumable(key)
        ? 'its last checkpoint'
        : 'the start';
  if (saved === true)
    watcher.event({
      type: 'note',
      stage: stage.name,
      text: `progress is saved${within}: the next run goes on from ${from}`,
    });
  else watcher.diagnostic(notSaved(stage, notice, from));
}

const INTERRUPTED: StageOutcome = { cached: false, interrupted: true, peakMemoryBytes: 0 };

/** Runs a stage once no other process makes the same, unless that has made it. */
async function claimed(
  plan: StagePlan,
  context: RunContext,
  place: Place,
  make: (claim: Claim) => Promise<StageOutcome>,
): Promise<StageOutcome> {
  const { store, watcher, interrupts } = context;
  let claim: Claim | undefined;
  try {
    const about = { runId: context.runId, stage: plan.stage.name };
    const waiting = (holder: ClaimHolder): void => {
      watcher.event(waitingEvent(plan, holder));
      place.leave();
    };
    claim = await store.claim(plan.key, about, { signal: interrupts.stop, waiting });
    if (claim === undefined) return INTERRUPTED;
    // whoever had the claim has made it
    const made = findOutput(plan.key, context);
    if (made !== undefined) return cached(plan, made, context);
    if (!(await place.take())) return INTERRUPTED;
    tellStart(plan, store.resumable(plan.key) ? 'resume' : 'run', watcher);
    return await make(claim);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    watcher.diagnostic(error.diagnostic);
    return { cached: false, interrupted: false, peakMemoryBytes: 0 };
  } finally {
    claim?.release();
  }
}

function cached(plan: StagePlan, entry: StoreEntry, { watcher }: RunContext): StageOutcome {
  tellStart(plan, 'cached', watcher);
  return { entry, cached: true, interrupted: false, peakMemoryBytes: entry.record.peakMemoryBytes };
}

/** A stage that left a checkpoint since it was planned, such as a trial that goes on after a rung, resumes for that reason. */
function tellStart(plan: StagePlan, action: StageAction, watcher: Watcher): void {
  const { stage, key, parts } = plan;
  const reasons = action === 'resume' ? [resumed(key)] : plan.reasons;
  watcher.event({ type: 'stage.started', stage: stage.name, kind: stage.kind, action, reasons, key, parts });
}

/** What others are told about who makes an output. */
function waitingEvent({ stage, key }: StagePlan, holder: ClaimHolder): RunEvent {
  const { user, host = '', pid, cwd, runId, since } = holder;
  return {
    type: 'stage.waiting',
    stage: stage.name,
    key,
    holder: { user, host, pid, cwd, runId, stage: holder.stage, since },
  };
}
