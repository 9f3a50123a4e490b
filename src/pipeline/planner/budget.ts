/** Requirements on memory and time, held against the plan before anything runs. */

import type { Program } from '../../language/ir/program.js';
import { type Lookup, resultOf } from '../../language/ir/requirement-result.js';
import type { BudgetLine } from './types.js';

/** What the plan says about the run as a whole; `undefined` if it says nothing. */
export interface BudgetedFigures {
  /** Bytes. */
  readonly peak_memory?: number;
  /** Seconds. */
  readonly wall_time?: number;
}

/** What the plan says about each stage, by name. */
export type FiguresByStage = Readonly<Record<string, BudgetedFigures>>;

export function budgetLines(
  program: Program,
  predicted: BudgetedFigures,
  stages: FiguresByStage = {},
): readonly BudgetLine[] {
  const lookup: Lookup = ([name = '', metric]) => {
    const known: Readonly<Record<string, number | undefined>> =
      metric === undefined ? { ...predicted } : { ...stages[name] };
    return known[metric ?? name];
  };
  return program.budgets.flatMap(({ requires }) =>
    requires.map((requirement): BudgetLine => {
      const { value, limit, holds } = resultOf(requirement, lookup) ?? {
        value: null,
        limit: null,
        holds: null,
      };
      return { require: requirement.text, value, limit, holds };
    }),
  );
}
