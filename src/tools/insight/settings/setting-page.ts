/** What a setting is, wherever it may be written: `ftpc explain rank`. */
import { formatQuantity } from '../../../language/check/units.js';
import { foreignNames, foreignSetting } from '../../../language/diagnostics/foreign.js';
import { withArticle } from '../../../language/diagnostics/make.js';
import { isQuantity } from '../../../language/ir/values.js';
import { functions } from '../../../language/schemas/functions/index.js';
import type { Setting } from '../../../language/schemas/schema.js';
import { type SettingSpot, settingSpots, spotsNamed } from '../../../language/schemas/setting-spots.js';
import { schemas } from '../../../language/schemas/stages/index.js';
import { lookUp } from '../../../language/source/look-up.js';
import { typeText } from './type-text.js';

export interface SettingAnswer {
  /** `train.lora.rank`, `jsonl`, `train`. */
  readonly name: string;
  readonly doc: string;
  /** A value in words, with its range; absent for blocks and functions. */
  readonly type?: string;
  readonly default?: string;
  readonly required?: boolean;
  /** The line that sets it. */
  readonly line?: string;
  /** The functions that take it. */
  readonly of?: readonly string[];
}

/** Everything of this name: settings by their path or its end, functions, and kinds of blocks. */
export function settingsNamed(name: string): readonly SettingAnswer[] {
  const own = lookUp(schemas as Readonly<Record<string, { readonly doc: string }>>, name);
  const called = lookUp(functions, name);
  const spots = spotsNamed(name);
  const [exact] = spots.filter((spot) => `${spot.kind}.${spot.path}` === name);
  return [
    ...(own === undefined ? [] : [{ name, doc: own.doc }]),
    ...(called === undefined ? [] : [{ name: `${name}(…)`, doc: called.doc }]),
    ...(exact === undefined ? spots : [exact]).map(answerOf),
    ...(spots.length > 0 ? [] : argumentsNamed(name)),
  ];
}

/** What another tool calls so: the setting here, or what to write. */
export function foreignAnswer(
  name: string,
): { readonly text: string; readonly setting?: string } | undefined {
  const foreign = foreignSetting(name);
  if (foreign === undefined) return undefined;
  if ('setting' in foreign)
    return { text: `\`${name}\` is \`${foreign.setting}\` here`, setting: foreign.setting };
  if ('needless' in foreign) return { text: `\`${name}\` is not needed here: ${foreign.needless}` };
  const { block, line, note } = foreign;
  const where = block === 'heading' ? 'the heading of a `train` block' : withArticle(`\`${block}\` block`);
  return {
    text: `for \`${name}\`, write \`${line}\` in ${where}${note === undefined ? '' : ` (${note})`}`,
  };
}

/** Names that have an answer. */
export const explainedNames = (): readonly string[] => [
  ...new Set([
    ...Object.keys(schemas),
    ...Object.keys(functions),
    ...[...settingSpots().values()].map(({ path }) => path.split('.').at(-1) ?? path),
    ...foreignNames(),
  ]),
];

const EXAMPLE = '…';

function answerOf({ kind, path, callees, setting, line }: Omit<SettingSpot, 'part'>): SettingAnswer {
  const standard = shown(setting);
  return {
    name: `${kind}.${path}`,
    doc: setting.doc,
    type: typeText(setting.type),
    required: setting.required,
    line: line(standard ?? EXAMPLE),
    ...(standard === undefined ? {} : { default: standard }),
    ...(callees.length === 0 ? {} : { of: callees }),
  };
}

/** Arguments of functions that are written in lists: `up_to` of `exact_match`. */
const argumentsNamed = (name: string): readonly SettingAnswer[] =>
  Object.entries(functions).flatMap(([callee, { args }]) => {
    const setting = lookUp(args, name);
    if (setting === undefined) return [];
    const line = (value: string): string => `${callee}(${name}: ${value})`;
    return [answerOf({ kind: callee, path: name, callees: [], setting, line })];
  });

/** A default as it would be written; none for records and lists. */
function shown({ type, default: value }: Setting): string | undefined {
  if (isQuantity(value)) return formatQuantity(value.value, value.unit);
  if (typeof value === 'number')
    return formatQuantity(value, type.kind === 'quantity' ? type.units[0] : undefined);
  return typeof value === 'boolean' || (typeof value === 'string' && type.kind !== 'string')
    ? `${value}`
    : undefined;
}
