/** What budgets make of the stages of a plan: what is left to one of them, and whether all together keep them. */

import type { Program } from '../../language/ir/program.js';
import { type BudgetedFigures, budgetLines, figureLookup, TIMED } from './budget.js';
import { limitOf } from './limits.js';
import { NO_PARTS } from './memory/peaks.js';
import type { PlanContext } from './plan-context.js';
import type {
  BudgetLimit,
  BudgetLine,
  ParallelPlan,
  Plan,
  PlannedStage,
  Pricing,
  Seconds,
  StageLimits,
} from './plan-json.js';
import { costOf, gpuHours } from './price.js';
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
  pricing: Pricing,
): readonly BudgetLine[] {
  const linesOf = (counted: readonly PlannedStage[]): readonly BudgetLine[] =>
    budgetLines(program, together(counted, atOnce(counted), pricing), byName(counted, pricing));
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
  pricing: Pricing,
): BudgetedFigures {
  const { peak_memory, disk } = wholeOf(stages, pricing);
  return { peak_memory: peak_memory && peakBytes, disk, ...timed(seconds, pricing) };
}

export function wholeOf(stages: readonly PlannedStage[], pricing: Pricing): BudgetedFigures {
  const { peakBytes, seconds } = figuresOf(stages);
  const disk = stages.reduce((sum, { diskBytes }) => sum + diskBytes, 0);
  return { peak_memory: peakBytes ?? undefined, disk, ...timed(seconds, pricing) };
}

/** A time, and what grows with it. */
const timed = (seconds: Seconds | null, pricing: Pricing): BudgetedFigures =>
  seconds === null
    ? {}
    : {
        wall_time: seconds.expected,
        cost: costOf(seconds.expected, pricing),
        gpu_hours: gpuHours(seconds.expected, pricing),
      };

export const byName = (
  stages: readonly PlannedStage[],
  pricing: Pricing,
): Readonly<Record<string, BudgetedFigures>> =>
  Object.fromEntries(
    stages.map((stage) => [
      stage.name,
      { peak_memory: peakFigure(stage), disk: stage.diskBytes, ...timed(stage.seconds, pricing) },
    ]),
  );

/** `others`: every other stage, once it is known how long they take. */
export function limitsOf(
  { program, availableBytes, place, pricing }: PlanContext,
  stage: string,
  others: readonly PlannedStage[],
): StageLimits {
  const { budgets } = program;
  if (budgets.length === 0) return {};
  const whole = wholeOf(others, pricing);
  const lookup = figureLookup(whole, byName(others, pricing));
  const memory = limitOf({
    ...{ budgets, stage, others: lookup, place },
    metric: 'peak_memory',
    whole: (bytes) => bytes,
  });
  const isWhole = others.length >= program.stages.length - 1;
  const times = TIMED.flatMap((metric): readonly BudgetLimit[] => {
    const rest = isWhole ? whole[metric] : undefined;
    const limit = limitOf({
      ...{ budgets, stage, others: lookup, place, metric },
      whole: (figure) => (rest === undefined ? undefined : rest + figure),
    });
    const perSecond = timed({ expected: 1, low: 1, high: 1 }, pricing)[metric] ?? 0;
    return limit === undefined || perSecond === 0 ? [] : [{ ...limit, most: limit.most / perSecond }];
  });
  const time = times.reduce<BudgetLimit | undefined>(
    (least, limit) => (least === undefined || limit.most < least.most ? limit : least),
    undefined,
  );
  return {
    ...(memory === undefined || memory.most >= availableBytes ? {} : { memory }),
    ...(time === undefined ? {} : { time }),
  };
}
