/**
 * Settings for rules: where in the file a value comes from, values as numbers and calls, and numbers as they are
 * written in a file.
 */
import { headingOf, presetOf, propertyOf, textAt } from '../check/stage-settings.js';
import type { CheckedStage } from '../check/stages.js';
import type { Call, Value } from '../ir/program.js';
import { isCall } from '../ir/values.js';
import { valueAt as valueIn } from '../schemas/setting-paths.js';
import type { Span } from '../source/span.js';
import type { Expression } from '../syntax/ast.js';
import type { Pipeline, SettingPlace } from './rule.js';

const LITERALS = new Set<Expression['kind']>(['number', 'quantity', 'string', 'boolean', 'list', 'record']);

/** Of `lora.rank` or `optimizer.schedule.warmup`: the expression itself, or the closest text that sets it. */
export function placeOf(checked: CheckedStage, path: string): SettingPlace {
  const { stage, block } = checked;
  const property = propertyOf(checked, path.split('.')[0] ?? '');
  const text = textAt(block.properties, path);
  const preset =
    property === undefined || stage.origins[path] === 'preset' ? presetOf(checked, path) : undefined;
  const setBy =
    preset === undefined
      ? { byLibrary: false }
      : {
          because: `set by the preset \`${preset.preset}\` of \`${preset.module}\``,
          byLibrary: preset.module.startsWith('std/'),
        };
  if (property === undefined || text === undefined) {
    const word = block.using.find((one) => one.text === preset?.preset) ?? block.using[0];
    return { span: (preset && word?.span) ?? headingOf(checked), literal: false, ...setBy };
  }
  const { expression, isWhole } = text;
  return {
    span: isWhole || expression !== property.value ? expression.span : property.key.span,
    literal: isWhole && LITERALS.has(expression.kind),
    ...setBy,
  };
}

/** The expression of a top-level setting, if the block has one. */
export const expressionOf = (checked: CheckedStage, key: string): Expression | undefined =>
  propertyOf(checked, key)?.value;

/** Where a finding about a top-level setting is reported: at its value, or at the heading of a block without it. */
export const spanOf = (checked: CheckedStage, key: string): Span =>
  expressionOf(checked, key)?.span ?? headingOf(checked);

/** A finding about the value of a parameter is reported at its declaration, where it can be fixed. */
export function declarationOf(checked: CheckedStage, key: string, pipeline: Pipeline): Span {
  const expression = expressionOf(checked, key);
  const { span } = pipeline.place(checked, key);
  if (expression?.kind !== 'reference' || expression.path.length !== 1) return span;
  const value = pipeline.param(expression.path[0]?.text ?? '')?.value;
  // A value from the command line differs from the declaration's.
  return value?.kind === 'call' && value.callee.text === callAt(checked, key)?.call ? value.span : span;
}

export const valueAt = ({ stage }: CheckedStage, path: string): Value | undefined =>
  valueIn(stage.settings, path);

export const numberAt = (checked: CheckedStage, path: string): number | undefined => {
  const value = valueAt(checked, path);
  return typeof value === 'number' ? value : undefined;
};

export const callAt = (checked: CheckedStage, path: string): Call | undefined => {
  const value = valueAt(checked, path);
  return isCall(value) ? value : undefined;
};

/** `3e-3`, `0.02`, `16`: the shorter way to write a number. */
export function numberText(value: number): string {
  const [plain, scientific] = [`${value}`, value.toExponential()];
  return Math.abs(value) < 0.01 && scientific.length <= plain.length ? scientific : plain;
}
