/** Rows and those who read them: columns that a template, a source or a split refers to, and no row has. */

import { otherColumns, unknownColumn } from '../diagnostics/catalogue/names.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Call, Value } from '../ir/program.js';
import { isCall, isList, isRecord } from '../ir/values.js';
import { SOURCE_COLUMNS } from '../schemas/functions/source.js';
import { columnsOf, usualColumns } from '../schemas/functions/template.js';
import { lookUp } from '../source/look-up.js';
import { withParts } from '../syntax/references.js';
import type { FolderAccess } from './context.js';
import { type FileColumns, fileColumns } from './file-columns.js';
import { referenceIn, type Stages, settingSpan } from './stage-settings.js';
import type { CheckedStage } from './stages.js';

/** A data stage: `columns` of its sources, and the `by` of its split. */
export function columnsOfRows(checked: CheckedStage, _: Stages, access: FolderAccess): readonly Diagnostic[] {
  if (checked.stage.kind !== 'data') return [];
  const { source, split } = checked.stage.settings;
  const calls = callsIn(source ?? null);
  const looks = calls.map((call) => fileColumns(call, access));
  const renamed = calls.flatMap((call, index) => missingIn(call, looks[index]));
  const found = renamed.flatMap(({ name, look }) => {
    const at = stringIn(checked, 'source', name);
    return at === undefined ? [] : [unknownColumn(at, name, look.files, look.first)];
  });
  const by = isRecord(split) ? split['by'] : undefined;
  const at = typeof by === 'string' ? stringIn(checked, 'split', by) : undefined;
  const known = looks.flatMap((look, index) => (look === undefined ? [] : [{ look, call: calls[index] }]));
  const [first] = known;
  const isNowhere =
    typeof by === 'string' &&
    !hasBlank(by) &&
    known.length === calls.length &&
    known.every(({ look, call }) => !look.has(ownName(call, by)) && !look.has(by));
  return isNowhere && at !== undefined && first !== undefined
    ? [...found, unknownColumn(at, by, first.look.files, first.look.first)]
    : found;
}

/** Columns that a source is told the names of. */
function missingIn(
  { args }: Call,
  look: FileColumns | undefined,
): readonly { readonly name: string; readonly look: FileColumns }[] {
  const { columns } = args;
  if (look === undefined || !isRecord(columns)) return [];
  return Object.values(columns).flatMap((name) =>
    typeof name === 'string' && !hasBlank(name) && !look.has(name) ? [{ name, look }] : [],
  );
}

/** A format stage: what its template reads. */
export function fittingColumns(
  checked: CheckedStage,
  stages: Stages,
  access: FolderAccess,
): readonly Diagnostic[] {
  const from = referenceIn(checked, 'from');
  const data = from && stages.get(from.stage);
  const { template } = checked.stage.settings;
  if (checked.stage.kind !== 'format' || data === undefined || !isCall(template) || !data.isSound) return [];
  const needed = columnsOf(template);
  for (const call of callsIn(data.stage.settings['source'] ?? null)) {
    const brought = broughtBy(call, access);
    if (brought === undefined || hasOne(needed, brought, call)) continue;
    const fitting = usualColumns().find(([, sets]) => hasOne(sets, brought, call));
    return [
      otherColumns(settingSpan(checked, 'template'), {
        template: template.call,
        needed: (needed[0] ?? []).map((column) => ownName(call, column)),
        source: call.call,
        columns: brought.first,
        at: settingSpan(data, 'source'),
        fitting: fitting?.[0],
        canBeNamed: !Object.hasOwn(SOURCE_COLUMNS, call.call),
      }),
    ];
  }
  return [];
}

/** `${name}` has a warning of its own. */
const hasBlank = (name: string): boolean => name.includes('${');

type SourceColumns = Pick<FileColumns, 'first' | 'has'>;

function broughtBy(call: Call, access: FolderAccess): SourceColumns | undefined {
  const own = lookUp(SOURCE_COLUMNS, call.call);
  if (own !== undefined) return { first: own, has: (column) => own.includes(column) };
  const look = fileColumns(call, access);
  // That has an error of its own.
  return look === undefined || missingIn(call, look).length > 0 ? undefined : look;
}

const hasOne = (sets: readonly (readonly string[])[], { has }: SourceColumns, call: Call): boolean =>
  sets.some((set) => set.every((column) => has(ownName(call, column))));

/** What a source calls a column that has a usual name. */
function ownName(call: Call | undefined, usual: string): string {
  const columns = call?.args['columns'];
  const own = isRecord(columns) ? lookUp(columns, usual) : undefined;
  return typeof own === 'string' ? own : usual;
}

/** Where a setting of the block itself says a text. */
const stringIn = ({ block }: CheckedStage, key: string, text: string) =>
  block.properties
    .filter((property) => property.key.text === key)
    .flatMap(({ value }) => withParts(value))
    .find((part) => part.kind === 'string' && part.value === text)?.span;

const callsIn = (value: Value): readonly Call[] => (isList(value) ? value : [value]).filter(isCall);
