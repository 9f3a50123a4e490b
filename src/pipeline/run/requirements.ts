import {
  evaluateRequirement,
  type Finding,
  type Lookup,
  metricPaths,
  UnknownMetric,
} from '../../compute/evaluation/expression.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { StageResult } from '../../language/ir/outputs.js';
import type { Budget, Expression, Requirement, Stage } from '../../language/ir/types.js';
import { bytes, duration, numberText } from '../planner/quantities.js';
import type { BudgetLine } from '../planner/types.js';
import { budgetBroken, budgetExceeded, requirementFailed, unknownMetric } from './problems.js';

/** What stages measured, by name. */
export type Results = Readonly<Record<string, StageResult>>;

/** What a stage's requirements make of what was measured: one diagnostic for each that does not hold. */
export function failedRequirements(stage: Stage, results: Results): readonly Diagnostic[] {
  return stage.requires.flatMap((requirement) => {
    const finding = findingOf(stage, requirement, results);
    if (finding instanceof UnknownMetric)
      return [unknownMetric(stage, requirement.text, requirement.span, `\`${finding.path.join('.')}\``)];
    return finding.holds
      ? []
      : [requirementFailed(stage, requirement.text, requirement.span, finding.sentence)];
  });
}

/** By stage. */
export type Findings = Readonly<Record<string, readonly Finding[]>>;

/** What a stage's requirements came to, without those that nothing measured. */
export const findingsOf = (stage: Stage, results: Results): readonly Finding[] =>
  stage.requires.flatMap((requirement) => {
    const finding = findingOf(stage, requirement, results);
    return finding instanceof UnknownMetric ? [] : [finding];
  });

function findingOf(stage: Stage, requirement: Requirement, results: Results): Finding | UnknownMetric {
  const own = results[stage.name];
  const lookup: Lookup = (path) => {
    const [first = '', second] = path;
    if (second === undefined) return own?.metrics[first];
    if (first === 'baseline') return own?.baseline?.[second];
    return results[first]?.metrics[second];
  };
  try {
    return evaluateRequirement(requirement, lookup);
  } catch (error) {
    if (error instanceof UnknownMetric) return error;
    throw error;
  }
}

/** What a run took, under the names that a budget uses. */
export interface Measured {
  /** Bytes. */
  readonly peak_memory: number;
  /** Seconds. */
  readonly wall_time: number;
}

/** What each stage took and measured, by name. */
export type MeasuredStages = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Requirements of the budgets that the measured run broke; names that only a plan knows are passed over. */
export function exceededBudgets(
  budgets: readonly Budget[],
  measured: Measured,
  stages: MeasuredStages = {},
): readonly Diagnostic[] {
  const known: Readonly<Record<string, number>> = { ...measured };
  const lookup: Lookup = ([name = '', metric]) =>
    metric === undefined ? known[name] : stages[name]?.[metric];
  return budgets.flatMap((budget) =>
    budget.requires.flatMap((requirement) => {
      try {
        const finding = evaluateRequirement(requirement, lookup);
        return finding.holds
          ? []
          : [budgetExceeded(requirement.text, requirement.span, figureOf(requirement, finding.value))];
      } catch (error) {
        if (error instanceof UnknownMetric) return [];
        throw error;
      }
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
      const time = metricPaths(requirement.condition).some((path) => path.at(-1) === 'wall_time');
      return [budgetBroken(requirement.text, requirement.span, figure, time)];
    });

const FIGURES: Readonly<Record<string, (value: number) => string>> = {
  peak_memory: bytes,
  wall_time: duration,
};

/** The left side of a requirement in the unit of what it refers to; a ratio of two has none. */
function figureOf({ condition }: Requirement, value: number): string {
  const [path] = metricPaths(condition);
  const show = isScaled(condition) ? undefined : FIGURES[path?.at(-1) ?? ''];
  return (show ?? numberText)(value);
}

const isScaled = (expression: Expression): boolean =>
  expression.op === '/' ||
  ('left' in expression && (isScaled(expression.left) || isScaled(expression.right))) ||
  ('operand' in expression && isScaled(expression.operand));
