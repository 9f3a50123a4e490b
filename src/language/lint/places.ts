/** Where in the file the value of a setting comes from. */
import { headingOf, presetOf, propertyOf, textAt } from '../check/stage-settings.js';
import type { CheckedStage } from '../check/stages.js';
import type { Span } from '../source/span.js';
import type { Expression } from '../syntax/ast.js';
import type { Pipeline, SettingPlace } from './rule.js';
import { callAt } from './values.js';

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
