import type { Diagnostic } from '../../language/diagnostics/types.js';
import { namesIn, partsOf } from '../../language/ir/expression.js';
import type { Budget, Expression, Requirement, Stage } from '../../language/ir/program.js';
import {
  type Lookup,
  type RequirementResult,
  resultOf,
  unknownIn,
} from '../../language/ir/requirement-result.js';
import type { BudgetLine } from '../planner/plan-json.js';
import { bytes, duration, numberText } from '../planner/quantities.js';
import { type Measurements, metricsFor } from '../stages/requirement-results.js';
import { budgetBroken, budgetExceeded, requirementFailed, unknownMetric } from './run-diagnostics.js';

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
export interface RunFigures {
  /** Bytes. */
  readonly peak_memory: number;
  /** Seconds. */
  readonly wall_time: number;
}

/** What each stage took and measured, by name. */
export type StageFigures = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Requirements of the budgets that the measured run broke; names that only a plan knows are passed over. */
export function exceededBudgets(
  budgets: readonly Budget[],
  measured: RunFigures,
  stages: StageFigures = {},
): readonly Diagnostic[] {
  const known: Readonly<Record<string, number>> = { ...measured };
  const lookup: Lookup = ([name = '', metric]) =>
    metric === undefined ? known[name] : stages[name]?.[metric];
  return budgets.flatMap((budget) =>
    budget.requires.flatMap((requirement) => {
      const result = resultOf(requirement, lookup);
      return result === undefined || result.holds
        ? []
        : [budgetExceeded(requirement.text, requirement.span, figureOf(requirement, result.value))];
    }),
  );
}

/** Requirements of the budgets that the plan does not keep. */
export const brokenBudgets = (
  budgets: readonly Budget[],
  lines: readonly BudgetLine[],
): readonly Diagnostic[] =>
  budgets
    .flatMap(({ requires }) => requires)
    .flatMap((requirement) => {
      const line = lines.find(({ require, holds }) => require === requirement.text && holds === false);
      if (line === undefined) return [];
      const figure = figureOf(requirement, line.value ?? 0);
      const time = namesIn(requirement.condition).some(({ path }) => path.at(-1) === 'wall_time');
      return [budgetBroken(requirement.text, requirement.span, figure, time)];
    });

const FIGURES: Readonly<Record<string, (value: number) => string>> = {
  peak_memory: bytes,
  wall_time: duration,
};

/** The left side of a requirement in the unit of what it refers to; a ratio of two has none. */
function figureOf({ condition }: Requirement, value: number): string {
  const [name] = namesIn(condition);
  const show = isScaled(condition) ? undefined : FIGURES[name?.path.at(-1) ?? ''];
  return (show ?? numberText)(value);
}

const isScaled = (expression: Expression): boolean =>
  expression.op === '/' || partsOf(expression).some(isScaled);
