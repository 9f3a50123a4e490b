/** Requirements on memory and time, held against the plan before anything runs. */
import { evaluateRequirement, UnknownMetric } from '../evaluation/expression.js';
import type { Program } from '../ir/types.js';
import type { BudgetLine } from './types.js';

/** What the plan says of the run as a whole; `undefined` where it says nothing. */
export interface Foretold {
  /** Bytes. */
  readonly peak_memory?: number;
  /** Seconds. */
  readonly wall_time?: number;
}

export function budgetLines(program: Program, foretold: Foretold): readonly BudgetLine[] {
  const known: Readonly<Record<string, number | undefined>> = { ...foretold };
  return program.budgets.flatMap(({ requires }) =>
    requires.map((requirement): BudgetLine => {
      try {
        const { value, limit, holds } = evaluateRequirement(requirement, ([name = '']) => known[name]);
        return { require: requirement.text, value, limit, holds };
      } catch (error) {
        if (!(error instanceof UnknownMetric)) throw error;
        return { require: requirement.text, value: null, limit: null, holds: null };
      }
    }),
  );
}
