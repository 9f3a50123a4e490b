/** What is asked of the machine, and by whom: the command line takes precedence over the pipeline, which takes precedence over `auto`. */

import type { Program, Value } from '../../language/ir/program.js';
import type { RuntimeChoice, RuntimeRequest } from '../../language/ir/runtimes.js';
import type { budgetSettings } from '../../language/schemas/stages/budget.js';

/** `option`: that of the command line, where it is given. */
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
