/** Where the value of a setting is in the file. */
import type { CheckedStage } from '../check/stages.js';
import { functions } from '../schemas/functions/index.js';
import type { Span } from '../source/span.js';
import type { Expression, Property } from '../syntax/ast.js';
import type { Place } from './types.js';

const LITERALS = new Set<Expression['kind']>(['number', 'quantity', 'string', 'boolean', 'list', 'record']);

/** `lora.rank`, `optimizer.schedule.warmup`: the expression itself, or the nearest thing that decides it. */
export function placeOf(checked: CheckedStage, path: string): Place {
  const { stage, block } = checked;
  const [first = '', ...rest] = path.split('.');
  const property = propertyOf(checked, first);
  const origin = stage.origins[path];
  if (property === undefined) {
    const preset = presetOf(checked, path);
    const word = block.using.find(({ text }) => text === preset?.preset) ?? block.using[0];
    if (preset === undefined) return { span: headingOf(checked), literal: false, byLibrary: false };
    return {
      span: word?.span ?? headingOf(checked),
      literal: false,
      because: `set by the preset \`${preset.preset}\` of \`${preset.module}\``,
      byLibrary: preset.module.startsWith('std/'),
    };
  }
  const { expression, whole } = inner(property.value, rest);
  const preset = origin === 'preset' ? presetOf(checked, path) : undefined;
  return {
    span: whole || expression !== property.value ? expression.span : { ...property.key.span },
    literal: whole && LITERALS.has(expression.kind),
    ...(preset === undefined
      ? {}
      : { because: `set by the preset \`${preset.preset}\` of \`${preset.module}\`` }),
    byLibrary: preset?.module.startsWith('std/') === true,
  };
}

const presetOf = ({ stage }: CheckedStage, path: string) => {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('.'))))
    if (stage.presets !== undefined && Object.hasOwn(stage.presets, at)) return stage.presets[at];
  return undefined;
};

/** `train adapter`: where what is missing from a block is reported. */
export const headingOf = ({ block }: CheckedStage): Span => ({
  ...block.kind.span,
  end: block.name.span.end,
});

/** As far as the path leads; `whole` where it leads to its end. */
function inner(
  from: Expression,
  path: readonly string[],
): { readonly expression: Expression; readonly whole: boolean } {
  let expression = from;
  for (const key of path) {
    const next = child(expression, key);
    if (next === undefined) return { expression, whole: false };
    expression = next;
  }
  return { expression, whole: true };
}

function child(expression: Expression, key: string): Expression | undefined {
  if (expression.kind === 'record') return expression.entries.find((entry) => entry.key.text === key)?.value;
  if (expression.kind === 'list') return expression.items[Number(key)];
  if (expression.kind !== 'call') return undefined;
  const named = expression.args.find(({ name }) => name?.text === key);
  if (named !== undefined) return named.value;
  const position = functions[expression.callee.text]?.positional.indexOf(key) ?? -1;
  return expression.args.filter(({ name }) => name === undefined)[position]?.value;
}

export const propertyOf = ({ block }: CheckedStage, key: string): Property | undefined =>
  block.properties.find((property) => property.key.text === key);

/** The expression of a top-level setting, where the block has it. */
export const written = (checked: CheckedStage, key: string): Expression | undefined =>
  propertyOf(checked, key)?.value;
