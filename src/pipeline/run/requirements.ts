import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Budget, Stage } from '../../language/ir/program.js';
import {
  type Lookup,
  type RequirementResult,
  resultOf,
  unknownIn,
} from '../../language/ir/requirement-result.js';
import { figureText } from '../planner/budget.js';
import { type Measurements, metricsFor } from '../stages/requirement-results.js';
import { budgetExceeded, requirementFailed, unknownMetric } from './run-diagnostics.js';

/** What a stage's requirements make of what was measured: one diagnostic for each that does not hold. */
export function failedRequirements(stage: Stage, measured: Measurements): readonly Diagnostic[] {
  const lookup = metricsFor(stage.name, measured);
  return stage.requires.flatMap((requirement) => {
    const { text, span } = requirement;
    const result = resultOf(requirement, lookup);
    if (result === undefined) {
      const path = unknownIn(requirement, lookup) ?? [];
      return [unknownMetric(stage, text, span, `\`${path.join('.')}\``)];
    }
    return result.holds ? [] : [requirementFailed(stage, text, span, result.sentence)];
  });
}

/** By stage. */
export type RequirementResults = Readonly<Record<string, readonly RequirementResult[]>>;

/** What a run took, under the names that a budget uses. */
interface RunFigures {
  /** Bytes. */
  readonly peak_memory: number;
  /** Seconds. */
  readonly wall_time: number;
  /** US dollars; left out where no price is known. */
  readonly cost?: number | undefined;
  readonly gpu_hours?: number;
}

/** What each stage took and measured, by name. */
export type StageFigures = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Requirements of the budgets that the measured run broke; names that only a plan knows are passed over. */
export function exceededBudgets(
  budgets: readonly Budget[],
  measured: RunFigures,
  stages: StageFigures = {},
): readonly Diagnostic[] {
  const known: Readonly<Record<string, number | undefined>> = { ...measured };
  const lookup: Lookup = ([name = '', metric]) =>
    metric === undefined ? known[name] : stages[name]?.[metric];
  return budgets.flatMap((budget) =>
    budget.requires.flatMap((requirement) => {
      const result = resultOf(requirement, lookup);
      return result === undefined || result.holds
        ? []
        : [budgetExceeded(requirement.text, requirement.span, figureText(result.value, result.unit))];
    }),
  );
}
