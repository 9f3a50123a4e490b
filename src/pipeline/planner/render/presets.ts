/** Which settings come from presets, for a terminal. */
import type { Value } from '../../../language/ir/program.js';
import { isCall, isReference } from '../../../language/ir/values.js';
import type { Plan, PlannedStage } from '../plan-json.js';
import { columns, type Palette } from './columns.js';

export function presetTable({ stages }: Plan, palette: Palette, width?: number): readonly string[] {
  const rows = stages.flatMap((stage) => rowsOf(stage, palette));
  return rows.length === 0 ? [] : [palette.bold('Set by presets'), ...columns(rows, { width })];
}

/** One row a preset of a stage. */
function rowsOf({ name, effective }: PlannedStage, { dim }: Palette): readonly (readonly string[])[] {
  const found = new Map<
    string,
    { readonly preset: string; readonly module: string; readonly set: string[] }
  >();
  for (const [path, { value, preset, module }] of Object.entries(effective)) {
    if (preset === undefined || module === undefined) continue;
    const key = `${module} ${preset}`;
    const entry = found.get(key) ?? { preset, module, set: [] };
    entry.set.push(`${path} = ${shown(value)}`);
    found.set(key, entry);
  }
  return [...found.values()].map(({ preset, module, set }) => [
    `  ${name}`,
    preset,
    dim(module),
    set.join(', '),
  ]);
}

function shown(value: Value): string {
  if (value === null) return 'none';
  if (typeof value !== 'object') return `${value}`;
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
  if (isCall(value)) return value.call;
  if (isReference(value)) return value.port === '' ? value.stage : `${value.stage}.${value.port}`;
  return '…';
}
