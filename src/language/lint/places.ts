/** Where the value of a setting is in the file. */
import { headingOf, presetOf, propertyOf, textAt } from '../check/stage-settings.js';
import type { CheckedStage } from '../check/stages.js';
import type { Expression } from '../syntax/ast.js';
import type { Place } from './types.js';

const LITERALS = new Set<Expression['kind']>(['number', 'quantity', 'string', 'boolean', 'list', 'record']);

/** `lora.rank`, `optimizer.schedule.warmup`: the expression itself, or the nearest thing that decides it. */
export function placeOf(checked: CheckedStage, path: string): Place {
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

/** The expression of a top-level setting, where the block has it. */
export const written = (checked: CheckedStage, key: string): Expression | undefined =>
  propertyOf(checked, key)?.value;
