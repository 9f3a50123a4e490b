/**
 * The trials of a search while they run: those whose training may end early stop at each rung until all others have got there, and
 * only the best go on. What is compared is on the disk, in checkpoints and outputs, so that a run that was killed decides the same.
 */
import { setMaxListeners } from 'node:events';
import type { RunEvent } from '../../language/ir/events.js';
import type { Stage } from '../../language/ir/program.js';
import { goingOn } from '../planner/search/halving.js';
import { winnerOf } from '../planner/search/outcome.js';
import type { TrialOutcome } from '../planner/search/record.js';
import type { Results } from './results.js';
import type { RunContext, StagePlan } from './run-context.js';
import { asTrial } from './run-diagnostics.js';
import { validationLosses } from './validation-losses.js';

interface Training {
  readonly plan: StagePlan;
  /** At the rungs so far. */
  readonly losses: (number | undefined)[];
  isAlive: boolean;
  /** What the disk has of it is known. */
  isRead: boolean;
}

export type Trials = ReturnType<typeof openTrials>;

export function openTrials(plans: readonly StagePlan[], context: RunContext, results: Results) {
  const { search } = context;
  const names = new Set(search?.trials.flatMap(({ stages }) => Object.values(stages)) ?? []);
  const rounds = openRounds(plans, context, results);
  return {
    ...rounds,
    /** Whether the stage is one of a trial: the run goes on without it. */
    has: ({ name }: Pick<Stage, 'name'>): boolean => names.has(name),
    /** What came of each trial. */
    outcomes(): readonly TrialOutcome[] {
      if (search === undefined) return [];
      return search.trials.map(({ stages }) => {
        const measured = results.measured(stages[search.by.stage] ?? '', search.by.port);
        const isEnded = Object.values(stages).some(results.isEnded);
        return {
          end: isEnded
            ? 'ended'
            : measured === undefined
              ? 'failed'
              : measured.holds
                ? 'done'
                : 'gate_closed',
          value: measured?.value ?? null,
          losses: rounds.losses(stages[search.training ?? ''] ?? ''),
        };
      });
    },
    winner: (outcomes: readonly TrialOutcome[]): number | undefined => search && winnerOf(search, outcomes),
  };
}

/** The trainings that end early, rung by rung; nothing where there are none. */
function openRounds(plans: readonly StagePlan[], context: RunContext, results: Results) {
  const trainings = new Map(
    plans.flatMap((plan): readonly [StagePlan, Training][] =>
      plan.rungs === undefined ? [] : [[plan, { plan, losses: [], isAlive: true, isRead: false }]],
    ),
  );
  const rungs =
    trainings.size === 0 ? 0 : Math.min(...[...trainings.keys()].map((plan) => plan.rungs?.length ?? 0));
  let rung = 0;
  const isLost = ({ plan }: Training): boolean => results.isLost(plan.stage.name);
  /** Those that end now, since all have reached the rung. */
  const decide = (): readonly StagePlan[] | undefined => {
    const alive = [...trainings.values()].filter(({ isAlive }) => isAlive);
    if (rung >= rungs || alive.every(isLost)) return undefined;
    if (!alive.every((training) => isLost(training) || hasReached(training, rung, context))) return undefined;
    const losses = alive.map((training) => (isLost(training) ? undefined : training.losses[rung]));
    const on = goingOn(losses, context.search?.factor ?? 1);
    const ended = alive.filter((training, index) => !on.has(index) && !isLost(training));
    for (const [index, training] of alive.entries()) training.isAlive = on.has(index);
    rung += 1;
    tellRung({ rung, rungs, alive, losses, ended }, context);
    return ended.map(({ plan }) => plan);
  };
  return {
    /** It has reached a rung that others have not. */
    waits(plan: StagePlan): boolean {
      const training = trainings.get(plan);
      return training !== undefined && rung < rungs && hasReached(training, rung, context);
    },
    /** Those that go on no further. */
    ended(): readonly StagePlan[] {
      const found: StagePlan[] = [];
      for (let now = decide(); now !== undefined; now = decide()) found.push(...now);
      return found;
    },
    /** How the training runs up to its next rung; `undefined` if it runs to its end. */
    leg(plan: StagePlan): Leg | undefined {
      const training = trainings.get(plan);
      const step = plan.rungs?.[rung];
      if (training === undefined || step === undefined || rung >= rungs) return undefined;
      training.isRead = false;
      return legTo(step, plan, context);
    },
    losses: (stage: string): readonly number[] =>
      [...trainings.values()]
        .find(({ plan }) => plan.stage.name === stage)
        ?.losses.slice(0, rung)
        .filter((loss) => loss !== undefined) ?? [],
  };
}

/** Whether a training has validated at a rung, now or in an earlier run. */
function hasReached(training: Training, rung: number, { store }: Pick<RunContext, 'store'>): boolean {
  const { plan, losses, isRead } = training;
  if (losses[rung] !== undefined || isRead) return losses[rung] !== undefined;
  training.isRead = true;
  const found = validationLosses(store, plan.key);
  for (const [index, step] of (plan.rungs ?? []).entries()) losses[index] ??= found.get(step);
  return losses[rung] !== undefined;
}

interface DecidedRung {
  readonly rung: number;
  readonly rungs: number;
  readonly alive: readonly Training[];
  readonly losses: readonly (number | undefined)[];
  readonly ended: readonly Training[];
}

const tellRung = (
  { rung, rungs, alive, losses, ended }: DecidedRung,
  { search, watcher }: RunContext,
): void =>
  watcher.event({
    type: 'search.rung',
    search: search?.name ?? '',
    rung,
    rungs,
    trials: alive.flatMap(({ plan }, index) => {
      const [loss, step] = [losses[index], plan.rungs?.[rung - 1]];
      return loss === undefined || step === undefined ? [] : [{ stage: plan.stage.name, step, loss }];
    }),
    ended: ended.map(({ plan }) => plan.stage.name),
  });

/** A part of a training, up to a rung. */
export interface Leg {
  readonly context: RunContext;
  /** Whether it stopped there, and not since the run ends. */
  hasStopped(): boolean;
}

/** The stage is told to save and to end as soon as it has validated at the rung, or after it. */
function legTo(rung: number, { stage }: StagePlan, context: RunContext): Leg {
  const { interrupts, watcher } = context;
  const there = new AbortController();
  const stop = AbortSignal.any([interrupts.stop, there.signal]);
  setMaxListeners(0, stop);
  return {
    context: {
      ...context,
      interrupts: { ...interrupts, stop },
      watcher: {
        ...watcher,
        event: (event: RunEvent): void => {
          watcher.event(event);
          if (event.type === 'validation' && event.stage === stage.name && event.step >= rung) there.abort();
        },
      },
    },
    hasStopped: () => there.signal.aborted && !interrupts.stop.aborted,
  };
}

/** What goes wrong in a trial is no error of the run. */
export const lenient = (context: RunContext): RunContext => ({
  ...context,
  watcher: {
    ...context.watcher,
    diagnostic: (found) => context.watcher.diagnostic(asTrial(found, context.search?.name ?? '')),
  },
});
