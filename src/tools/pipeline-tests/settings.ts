/** The settings of a test: which pipeline, with which parameters, on which machine. */

import { UNITS } from '../../../grammar/units.js';
import type { Context } from '../../language/check/context.js';
import { evaluateEntries } from '../../language/check/fields.js';
import { machinesIn } from '../../language/check/machines.js';
import { expressionNoun } from '../../language/check/nouns.js';
import { FILES, type Override, type ParamValues } from '../../language/check/overrides.js';
import { isValue } from '../../language/check/scope.js';
import { evaluate } from '../../language/check/setting-value.js';
import type { Analysis } from '../../language/compile.js';
import { duplicateKey, unknownSetting } from '../../language/diagnostics/catalogue/names.js';
import { unknownTestName } from '../../language/diagnostics/catalogue/tests.js';
import { missingSetting, typeMismatch } from '../../language/diagnostics/catalogue/values.js';
import { suggestion } from '../../language/diagnostics/did-you-mean.js';
import { ENGINE_NAMES } from '../../language/ir/engines.js';
import type { Value, Values } from '../../language/ir/program.js';
import { defaulted, optional, type SettingType, t } from '../../language/schemas/schema.js';
import { positionAt, type SourceText, spanText } from '../../language/source/text.js';
import type { Expression, Property, Test } from '../../language/syntax/ast.js';
import { findMachine, knownMachines, nearestMachine } from '../../pipeline/planner/machines.js';
import { unknownMachine } from '../../pipeline/planner/plan-diagnostics.js';

/** What may be in a `test`, besides `with` and `machine`, whose values depend on other things. */
export const testSettings = {
  pipeline: optional(
    t.string,
    'The pipeline, relative to the test file; default: the one with the same name.',
  ),
  memory: optional(t.quantity('bytes', { min: 1 }), 'Plan for this much memory.'),
  devices: optional(t.integer({ min: 1 }), 'How many devices the machine has.'),
  engine: optional(t.enum(...ENGINE_NAMES), 'The engine that would run it.'),
  run: defaulted(t.boolean, false, 'Run the pipeline, in a folder of its own.'),
} as const;

const OTHERS = ['with', 'machine'] as const;

/** The settings of the table; `undefined` if one is wrong, which has been reported. */
export function plainSettings({ properties, name }: Test, context: Context): Values | undefined {
  const known = [...Object.keys(testSettings), ...OTHERS];
  const where = `the test \`${name.text}\``;
  const plain = properties.filter(({ key }) => !isOther(key.text));
  for (const other of OTHERS) {
    const [first, second] = properties.filter(({ key }) => key.text === other);
    if (first !== undefined && second !== undefined)
      context.report(duplicateKey(second.key.span, other, first.key.span));
  }
  return evaluateEntries(plain, testSettings, context, {
    path: '',
    missing: (key, doc) => missingSetting(name.span, where, key, doc),
    unknown: (key) => unknownSetting(key.span, key.text, where, suggestion(key.text, key.span, known)),
  });
}

const isOther = (key: string): boolean => (OTHERS as readonly string[]).includes(key);

export const settingOf = ({ properties }: Test, name: string): Property | undefined =>
  properties.find(({ key }) => key.text === name);

/** `rtx3090` or `"a100-40gb"`: a name with a dash is not a word of the language. */
export function machineOf(
  value: Expression,
  pipeline: Analysis | undefined,
  context: Context,
): string | undefined {
  const name =
    value.kind === 'string'
      ? value.value
      : value.kind === 'reference' && value.path.length === 1
        ? value.path[0]?.text
        : undefined;
  if (name === undefined)
    return context.report(typeMismatch(value.span, 'a machine, such as `rtx3090`', expressionNoun(value)));
  const own = pipeline === undefined ? [] : machinesIn(pipeline.context);
  const machines = knownMachines(context.access.host, { machines: own });
  return findMachine(name, machines) === undefined
    ? context.report({ ...unknownMachine(name, nearestMachine(name, machines)), at: value.span })
    : name;
}

/** `{ smoke: true }` as parameters of the pipeline; `pipeline` is the pipeline without them. */
export function paramsOf(
  value: Expression,
  pipeline: Analysis,
  context: Context,
  source: SourceText,
): ParamValues | undefined {
  if (value.kind !== 'record')
    return context.report(typeMismatch(value.span, 'a record `{ name: value }`', expressionNoun(value)));
  const params = new Map<string, SettingType | undefined>();
  for (const [name, symbol] of pipeline.context.scope.own) if (isValue(symbol)) params.set(name, symbol.type);
  const overrides: Record<string, Override> = {};
  for (const { key, value: written } of value.entries) {
    const name = key.text;
    if (!params.has(name)) {
      const where = `the pipeline \`${pipeline.main.source.file}\``;
      context.report(unknownTestName(key.span, name, where, [...params.keys()]));
      continue;
    }
    const type = params.get(name);
    const evaluated = type && evaluate(written, type, context, undefined);
    if (evaluated === undefined) continue;
    const text = typed(evaluated, type, spanText(source, written.span));
    const at = { file: source.file, ...positionAt(source, key.span.start) };
    const given = { shown: `${name}: ${spanText(source, written.span)}`, at };
    overrides[name] = { text, isText: typeof evaluated === 'string', given };
  }
  const texts = Object.entries(overrides).map(([name, { text }]) => [name, text]);
  return { ...Object.fromEntries(texts), [FILES]: { overrides, diagnostics: [] } };
}

/** Digits with which a percentage is the share again. */
const PRECISE = 15;

/** A value as it would be typed after `-p name=`. */
function typed(value: Value, type: SettingType | undefined, written: string): string {
  if (typeof value === 'number' && type?.kind === 'quantity') {
    const unit = type.units[0];
    const suffix = Object.entries(UNITS).find(
      ([, { measure, factor }]) => measure === unit && factor === 1,
    )?.[0];
    return unit === 'ratio' ? `${Number((value * 100).toPrecision(PRECISE))}%` : `${value}${suffix ?? ''}`;
  }
  return value === null || typeof value === 'object' ? written : `${value}`;
}
