/** Once all trials of a search are over: who has won, and what is then made of that. */
import type { Host } from '../../language/host/host.js';
import type { RunEvent } from '../../language/ir/events.js';
import type { Program, Search } from '../../language/ir/program.js';
import type { Plan, PlannedSearch } from '../planner/plan-json.js';
import { higherIsBetter } from '../planner/search/outcome.js';
import { keyOfSearch } from '../planner/search/planned.js';
import { type TrialOutcome, writeSearchRecord } from '../planner/search/record.js';
import type { Results } from './results.js';
import type { Watcher } from './run-context.js';
import { noTrialEnded } from './run-diagnostics.js';
import type { Trials } from './trials.js';

interface SearchRun {
  readonly host: Pick<Host, 'cwd' | 'store'>;
  readonly program: Program;
  readonly search: Search;
  readonly plan: Plan;
  readonly watcher: Watcher;
}

/** Whether there is a winner, which the next plan will find; where there is none, what waits for it is blocked. */
export function settleSearch(run: SearchRun, trials: Trials, results: Results): boolean {
  const { host, program, search, plan, watcher } = run;
  const outcomes = trials.outcomes();
  const winner = trials.winner(outcomes);
  watcher.event(
    decidedEvent(
      { ...search, by: `${search.by.stage}.${search.by.port}`, higherIsBetter: higherIsBetter(search) },
      search.trials.map(({ at }) => at),
      outcomes,
      winner,
    ),
  );
  if (winner !== undefined) {
    writeSearchRecord(host, keyOfSearch(search, plan.stages), { version: 1, trials: [...outcomes], winner });
    return true;
  }
  watcher.diagnostic(noTrialEnded(search, reasons(outcomes)));
  results.noWinner();
  for (const stage of program.stages) if (stage.awaitsWinner === true) results.add(stage, 'blocked');
  return false;
}

type Decided = Extract<RunEvent, { type: 'search.decided' }>;

const decidedEvent = (
  { name, by, higherIsBetter }: Pick<PlannedSearch, 'name' | 'by' | 'higherIsBetter'>,
  values: PlannedSearch['trials'],
  outcomes: readonly TrialOutcome[],
  winner: number | undefined,
): Decided => ({
  type: 'search.decided',
  search: name,
  by,
  higherIsBetter,
  ...(winner === undefined ? {} : { winner }),
  trials: outcomes.map(({ end, value, losses }, trial) => ({ at: { ...values[trial] }, end, value, losses })),
});

/** A search that an earlier run has decided is part of what this one used. */
export const decidedBefore = ({ search }: Pick<Plan, 'search'>): readonly Decided[] =>
  search?.outcomes === undefined ? [] : [decidedEvent(search, search.trials, search.outcomes, search.winner)];

/** `3 failed`, `2 did not meet their requirements` */
const reasons = (outcomes: readonly TrialOutcome[]): string =>
  (
    [
      ['failed', 'failed'],
      ['gate_closed', 'did not meet what their evaluation requires'],
    ] as const
  )
    .map(([end, words]) => [outcomes.filter((outcome) => outcome.end === end).length, words] as const)
    .filter(([count]) => count > 0)
    .map(([count, words]) => `${count} ${words}`)
    .join(', ');
