/** What a plan says of a search: how far each trial trains, and who has won, if that is known. */
import type { Host } from '../../../language/host/host.js';
import type { Program, Search, Stage } from '../../../language/ir/program.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import type { PlannedSearch, PlannedStage, Seconds } from '../plan-json.js';
import { reason } from '../reasons.js';
import { meanShare, roundsOf, rungSteps } from './halving.js';
import { higherIsBetter } from './outcome.js';
import { readSearchRecord, type SearchRecord, searchKey } from './record.js';

/** Rungs of each training that a search may end early, by stage. */
type Rungs = ReadonlyMap<string, readonly number[]>;

/** Every trial has as many rungs as the one with the fewest, the last ones. */
function rungsOf(search: Search, stages: readonly PlannedStage[], program: Program): Rungs {
  const { training, trials, factor } = search;
  if (training === undefined) return new Map();
  const found = trials.map(({ stages: names }): readonly [string, readonly number[]] => {
    const name = names[training] ?? '';
    const total = stages.find((stage) => stage.name === name)?.scale?.steps ?? 0;
    const stage = program.stages.find((one) => one.name === name);
    return [name, stage === undefined ? [] : rungSteps(total, everyOf(stage), factor, trials.length)];
  });
  const fewest = Math.min(...found.map(([, steps]) => steps.length));
  return new Map(found.map(([name, steps]) => [name, fewest === 0 ? [] : steps.slice(-fewest)]));
}

const everyOf = (stage: Stage): number => settingsOf(stage, 'train').checkpoint.every;

/** The stages of a plan whose winner is not known, with what that means for them; and the search itself. */
export function withSearch(
  program: Program,
  search: Search,
  stages: readonly PlannedStage[],
): { readonly stages: readonly PlannedStage[]; readonly search: PlannedSearch } {
  const rungs = rungsOf(search, stages, program);
  const [first] = rungs;
  const steps = first === undefined ? undefined : stages.find(({ name }) => name === first[0])?.scale?.steps;
  const shares = steps == null ? [] : (first?.[1] ?? []).map((step) => step / steps);
  const rounds = roundsOf(shares, search.trials.length, search.factor);
  const trained = meanShare(rounds);
  const finalists = (rounds.at(-1)?.trials ?? search.trials.length) / search.trials.length;
  const ofTrials = new Set(search.trials.flatMap(({ stages: names }) => Object.values(names)));
  const afterTraining = new Set(
    program.stages.filter((stage) => reads(stage, program, rungs)).map(({ name }) => name),
  );
  return {
    stages: stages.map((stage) => {
      const source = program.stages.find(({ name }) => name === stage.name);
      if (source?.awaitsWinner === true)
        return {
          ...stage,
          action: 'run',
          reasons: [reason('winner_open', { path: search.name })],
          awaits: search.name,
        };
      const own = rungs.get(stage.name);
      if (own !== undefined && own.length > 0)
        return { ...stage, rungs: own, seconds: scaled(stage.seconds, trained) };
      return ofTrials.has(stage.name) && afterTraining.has(stage.name)
        ? { ...stage, seconds: scaled(stage.seconds, finalists) }
        : stage;
    }),
    search: { ...summaryOf(search), rounds: shares.length === 0 ? [] : rounds },
  };
}

/** Whether a stage reads, near or far, what a search may end early. */
function reads(stage: Stage, { stages }: Program, rungs: Rungs): boolean {
  if ([...rungs.values()].every((steps) => steps.length === 0)) return false;
  const reached = new Set(stage.inputs);
  for (const name of reached) {
    if (rungs.has(name)) return true;
    for (const input of stages.find((one) => one.name === name)?.inputs ?? []) reached.add(input);
  }
  return false;
}

const scaled = (seconds: Seconds | null, share: number): Seconds | null =>
  seconds && {
    expected: seconds.expected * share,
    low: seconds.low * share,
    high: seconds.high * share,
  };

/** The search of a plan whose winner an earlier run has found. */
export const decidedSearch = (search: Search, { winner, trials }: SearchRecord): PlannedSearch => ({
  ...summaryOf(search),
  rounds: [],
  winner,
  outcomes: trials,
});

const summaryOf = (search: Search): Omit<PlannedSearch, 'rounds'> => ({
  name: search.name,
  method: search.method,
  by: `${search.by.stage}.${search.by.port}`,
  higherIsBetter: higherIsBetter(search),
  trials: search.trials.map(({ at }) => at),
});

/** What earlier runs found of a search whose stages have these keys. */
export const foundBefore = (
  host: Host,
  search: Search,
  stages: readonly Pick<PlannedStage, 'name' | 'key'>[],
): SearchRecord | undefined => readSearchRecord(host, keyOfSearch(search, stages), search.trials.length);

export const keyOfSearch = (
  search: Search,
  stages: readonly Pick<PlannedStage, 'name' | 'key'>[],
): string => {
  const keys = new Map(stages.map(({ name, key }) => [name, key]));
  return searchKey(search, (name) => keys.get(name));
};
