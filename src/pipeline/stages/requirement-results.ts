/** What the requirements of a stage come to, by what it and the stages before it measured. */
import type { StageResult } from '../../language/ir/outputs.js';
import type { Stage } from '../../language/ir/program.js';
import { type Lookup, type RequirementResult, resultOf } from '../../language/ir/requirement-result.js';
import { type ComparisonName, isComparisonName } from '../../language/schemas/comparisons.js';

/** What stages measured, by name. */
export type Measurements = Readonly<Record<string, Pick<StageResult, 'metrics' | ComparisonName>>>;

/** The metrics of a stage under their names alone, those of others after the names of their stages. */
export const metricsFor =
  (stage: string, measured: Measurements): Lookup =>
  ([first = '', second]) => {
    if (second === undefined) return measured[stage]?.metrics[first];
    if (isComparisonName(first)) return measured[stage]?.[first]?.[second];
    return measured[first]?.metrics[second];
  };

/** Without those that read something that nothing measured. */
export const requirementResults = (
  { name, requires }: Pick<Stage, 'name' | 'requires'>,
  measured: Measurements,
): readonly RequirementResult[] =>
  requires.flatMap((requirement) => resultOf(requirement, metricsFor(name, measured)) ?? []);
