/** A program with a search before and after its winner is known. */
import { namesIn, withNames } from './expression.js';
import type { Program, Search, Stage, Value } from './program.js';
import { isList, isRecord, isReference } from './values.js';

/** Stages that read what waits for the winner wait for it, too, and are after all others. Stages are in order. */
export function withWaiting(stages: readonly Stage[]): readonly Stage[] {
  const waiting = new Set<string>();
  const marked = stages.map((stage): Stage => {
    const awaits = stage.awaitsWinner === true || stage.inputs.some((input) => waiting.has(input));
    if (awaits) waiting.add(stage.name);
    return awaits ? { ...stage, awaitsWinner: true } : stage;
  });
  return waiting.size === 0
    ? stages
    : [...marked.filter((stage) => !isWaiting(stage)), ...marked.filter(isWaiting)];
}

const isWaiting = ({ awaitsWinner }: Stage): boolean => awaitsWinner === true;

/** How a trial came out. */
type TrialEnd = 'done' | 'ended' | 'failed' | 'gate_closed';

/**
 * The program once its search is decided: what waited for the winner reads that of trial `winner`, and trials that are not `done`
 * are no longer part of it.
 */
export function withWinner(
  program: Program,
  { trials }: Search,
  { winner, ends }: { readonly winner: number; readonly ends: readonly TrialEnd[] },
): Program {
  const [first, won] = [trials[0]?.stages ?? {}, trials[winner]?.stages ?? {}];
  const names = new Map(Object.entries(first).map(([declared, name]) => [name, won[declared] ?? name]));
  const named = (name: string): string => names.get(name) ?? name;
  const kept = new Set(
    trials.flatMap(({ stages }, trial) => (ends[trial] === 'done' ? Object.values(stages) : [])),
  );
  const isGone = (name: string): boolean =>
    !kept.has(name) && trials.some(({ stages }) => Object.values(stages).includes(name));
  return {
    ...program,
    stages: program.stages
      .filter(({ name }) => !isGone(name))
      .map((stage) => (isWaiting(stage) ? reading(stage, named) : stage)),
    budgets: program.budgets.map((budget) => ({
      ...budget,
      requires: budget.requires.filter(
        (requirement) => !namesIn(requirement.condition).some(({ path }) => isGone(path[0] ?? '')),
      ),
    })),
  };
}

/** A stage that reads others in place of those of the first trial. */
const reading = (stage: Stage, named: (name: string) => string): Stage => ({
  ...stage,
  settings: Object.fromEntries(
    Object.entries(stage.settings).map(([key, value]) => [key, renamed(value, named)]),
  ),
  requires: stage.requires.map((requirement) => ({
    ...requirement,
    condition: withNames(requirement.condition, ([name = '', ...rest]) => [named(name), ...rest]),
  })),
  inputs: stage.inputs.map(named),
});

/** A value whose references name other stages. */
export function renamed(value: Value, named: (stage: string) => string): Value {
  if (isReference(value)) return { stage: named(value.stage), port: value.port };
  if (isList(value)) return value.map((item) => renamed(item, named));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, renamed(inner, named)]));
}
