/** What budgets make of the stages of a plan: what is left to one of them, and whether all together keep them. */

import type { Program } from '../../language/ir/program.js';
import { type BudgetedFigures, budgetLines, figureLookup } from './budget.js';
import { limitOf } from './limits.js';
import { NO_PARTS } from './memory/peaks.js';
import type { PlanContext } from './plan-context.js';
import type { BudgetLine, ParallelPlan, Plan, PlannedStage, StageLimits } from './plan-json.js';
import { addSeconds } from './speed.js';

/** What was measured takes precedence over what is predicted. */
export const peakFigure = ({ peak }: PlannedStage): number | undefined => peak?.measured ?? peak?.bytes;

/** As if stages ran one after the other. */
export function figuresOf(stages: readonly PlannedStage[]): Pick<Plan['totals'], 'peakBytes' | 'seconds'> {
  const figures = stages.map(peakFigure);
  return {
    peakBytes: figures.some((figure) => figure === undefined) ? null : Math.max(0, ...figures.map(Number)),
    seconds: addSeconds(stages.map(({ seconds }) => seconds)),
  };
}

/** A line that holds for what ran is kept as it is; where only that breaks it, what this run takes counts. */
export function plannedBudget(
  program: Program,
  stages: readonly PlannedStage[],
  atOnce: (stages: readonly PlannedStage[]) => Pick<ParallelPlan, 'seconds' | 'peakBytes'>,
): readonly BudgetLine[] {
  const linesOf = (counted: readonly PlannedStage[]): readonly BudgetLine[] =>
    budgetLines(program, together(counted, atOnce(counted)), byName(counted));
  const lines = linesOf(stages);
  if (lines.every(({ holds }) => holds !== false)) return lines;
  const now = linesOf(
    stages.map((stage) => (stage.action === 'cached' ? { ...stage, peak: NO_MEMORY } : stage)),
  );
  return lines.map((line, index) => (line.holds === false ? (now[index] ?? line) : line));
}

const NO_MEMORY: PlannedStage['peak'] = { bytes: 0, low: 0, high: 0, parts: NO_PARTS };

/** What is not known of a stage is not known of the run. */
function together(
  stages: readonly PlannedStage[],
  { seconds, peakBytes }: Pick<ParallelPlan, 'seconds' | 'peakBytes'>,
): BudgetedFigures {
  const { peak_memory } = wholeOf(stages);
  return { peak_memory: peak_memory && peakBytes, wall_time: seconds?.expected };
}

export function wholeOf(stages: readonly PlannedStage[]): BudgetedFigures {
  const { peakBytes, seconds } = figuresOf(stages);
  return { peak_memory: peakBytes ?? undefined, wall_time: seconds?.expected };
}

export const byName = (stages: readonly PlannedStage[]): Readonly<Record<string, BudgetedFigures>> =>
  Object.fromEntries(
    stages.map((stage) => [
      stage.name,
      { peak_memory: peakFigure(stage), wall_time: stage.seconds?.expected },
    ]),
  );

/** `others`: every other stage, once it is known how long they take. */
export function limitsOf(
  { program, availableBytes, place }: PlanContext,
  stage: string,
  others: readonly PlannedStage[],
): StageLimits {
  const { budgets } = program;
  if (budgets.length === 0) return {};
  const whole = wholeOf(others);
  const lookup = figureLookup(whole, byName(others));
  const memory = limitOf({
    ...{ budgets, stage, others: lookup, place },
    metric: 'peak_memory',
    whole: (bytes) => bytes,
  });
  const rest = others.length < program.stages.length - 1 ? undefined : whole.wall_time;
  const time = limitOf({
    ...{ budgets, stage, others: lookup, place },
    metric: 'wall_time',
    whole: (seconds) => (rest === undefined ? undefined : rest + seconds),
  });
  return {
    ...(memory === undefined || memory.most >= availableBytes ? {} : { memory }),
    ...(time === undefined ? {} : { time }),
  };
}
