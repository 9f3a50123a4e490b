/** What budgets set, and where in the text. */
import type { Budget, Value } from '../ir/program.js';
import type { budgetSettings } from '../schemas/stages/budget.js';
import type { Span } from '../source/span.js';
import type { SourceFile } from '../syntax/ast.js';

export type BudgetSettingName = keyof typeof budgetSettings;

export interface BudgetSetting<V> {
  /** Of the budget. */
  readonly name: string;
  readonly value: V;
  /** Of the value; of the budget's name where a preset sets it. */
  readonly span: Span;
}

export function budgetSettingsOf<V extends Value>(
  key: BudgetSettingName,
  budgets: readonly Budget[],
  { blocks }: SourceFile,
): readonly BudgetSetting<V>[] {
  return budgets.flatMap(({ name, settings }) => {
    const value = settings[key] as V | undefined;
    const block = blocks.find((one) => one.kind.text === 'budget' && one.name.text === name);
    if (value === undefined || block === undefined) return [];
    const written = block.properties.find((property) => property.key.text === key);
    return [{ name, value, span: written?.value.span ?? block.name.span }];
  });
}
