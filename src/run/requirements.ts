import type { Diagnostic } from '../diagnostics/types.js';
import { evaluateRequirement, type Lookup, UnknownMetric } from '../evaluation/expression.js';
import type { StageResult } from '../ir/outputs.js';
import type { Budget, Stage } from '../ir/types.js';
import { budgetExceeded, requirementFailed, unknownMetric } from './problems.js';

/** What a stage's requirements make of what it measured: one diagnostic for each that does not hold. */
export function failedRequirements(
  stage: Stage,
  results: Readonly<Record<string, StageResult>>,
): readonly Diagnostic[] {
  const own = results[stage.name];
  const lookup: Lookup = (path) => {
    const [first = '', second] = path;
    if (second === undefined) return own?.metrics[first];
    if (first === 'baseline') return own?.baseline?.[second];
    return results[first]?.metrics[second];
  };
  return stage.requires.flatMap((requirement) => {
    try {
      const finding = evaluateRequirement(requirement, lookup);
      return finding.holds
        ? []
        : [requirementFailed(stage, requirement.text, requirement.span, finding.sentence)];
    } catch (error) {
      if (!(error instanceof UnknownMetric)) throw error;
      return [unknownMetric(stage, requirement.text, requirement.span, `\`${error.path.join('.')}\``)];
    }
  });
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
        return finding.holds ? [] : [budgetExceeded(requirement.text, requirement.span, finding.sentence)];
      } catch (error) {
        if (error instanceof UnknownMetric) return [];
        throw error;
      }
    }),
  );
}
