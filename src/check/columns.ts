/** Sources whose columns are known without reading them, and templates that need others. */
import { otherColumns } from '../diagnostics/catalogue/rows.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Call, Value } from '../ir/types.js';
import { SOURCE_COLUMNS } from '../stages/functions/source.js';
import { columnsOf, usualColumns } from '../stages/functions/template.js';
import { referenceIn, type Stages, settingSpan } from './consistency.js';
import type { CheckedStage } from './stages.js';

export function fittingColumns(checked: CheckedStage, stages: Stages): readonly Diagnostic[] {
  const from = referenceIn(checked, 'from');
  const data = from && stages.get(from.stage);
  const template = checked.stage.settings['template'] as Call | undefined;
  if (checked.stage.kind !== 'format' || data === undefined || template === undefined || !data.isSound)
    return [];
  const needed = columnsOf(template);
  const misfit = callsIn(data.stage.settings['source'] ?? null).find(({ call }) => {
    const brought = tableEntry(SOURCE_COLUMNS, call);
    return brought !== undefined && !needed.some((set) => set.every((column) => brought.includes(column)));
  });
  if (misfit === undefined) return [];
  const brought = tableEntry(SOURCE_COLUMNS, misfit.call) ?? [];
  const fitting = usualColumns().find(([, sets]) =>
    sets.some((set) => set.every((column) => brought.includes(column))),
  );
  return [
    otherColumns(settingSpan(checked, 'template'), {
      template: template.call,
      needed: needed[0] ?? [],
      source: misfit.call,
      brought,
      at: settingSpan(data, 'source'),
      fitting: fitting?.[0],
    }),
  ];
}

const callsIn = (value: Value): readonly Call[] =>
  Array.isArray(value) ? (value as readonly Call[]) : [value as Call];

const tableEntry = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;
