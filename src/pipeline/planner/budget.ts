/** What budgets say: requirements on memory and time, held against the plan before anything runs, and what is asked of the machine. */
import type { Program, Value } from '../../language/ir/program.js';
import { type Lookup, resultOf } from '../../language/ir/requirement-result.js';
import type { RuntimeChoice, RuntimeRequest } from '../../language/ir/runtimes.js';
import type { budgetSettings } from '../../language/schemas/stages/budget.js';
import type { BudgetLine } from './plan-json.js';

/** What the plan says about the run as a whole; `undefined` if it says nothing. */
interface BudgetedFigures {
  /** Bytes. */
  readonly peak_memory?: number;
  /** Seconds. */
  readonly wall_time?: number;
}

const UNKNOWN = { value: null, limit: null, holds: null };

export function budgetLines(
  program: Program,
  predicted: BudgetedFigures,
  stages: Readonly<Record<string, BudgetedFigures>> = {},
): readonly BudgetLine[] {
  const lookup: Lookup = ([name = '', metric]) => {
    const known: Readonly<Record<string, number | undefined>> =
      metric === undefined ? { ...predicted } : { ...stages[name] };
    return known[metric ?? name];
  };
  return program.budgets.flatMap(({ requires }) =>
    requires.map((requirement): BudgetLine => {
      const { value, limit, holds } = resultOf(requirement, lookup) ?? UNKNOWN;
      return { require: requirement.text, value, limit, holds };
    }),
  );
}

/** The command line's `option` takes precedence over the pipeline, which takes precedence over `auto`. */
export function askedRuntime(
  option: RuntimeChoice | undefined,
  program: Program | undefined,
): RuntimeRequest {
  const rounds = program?.stages.some(({ settings }) => settings['precision'] === 'bf16');
  const precision = rounds ? ({ precision: 'bf16' } as const) : {};
  if (option !== undefined)
    return { choice: option, by: option === 'auto' ? 'auto' : 'option', ...precision };
  const choice = (ofBudgets(program, 'runtime') ?? 'auto') as RuntimeChoice;
  return { choice, by: choice === 'auto' ? 'auto' : 'pipeline', ...precision };
}

/** Bytes that the pipeline lets tensors take on a device; `undefined` if it does not say. */
export const askedDeviceMemory = (program: Program | undefined): number | undefined =>
  ofBudgets(program, 'device_memory') as number | undefined;

/** The check has seen to it that budgets set one value alone. */
function ofBudgets(program: Program | undefined, key: keyof typeof budgetSettings): Value | undefined {
  const [value] = (program?.budgets ?? []).flatMap(({ settings }) => settings[key] ?? []);
  return value;
}
