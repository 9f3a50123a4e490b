/** A setting of a stage by its path: its place in the text, who set it, and the stage that it refers to. */
import type { Origin, PresetOrigin, Reference } from '../ir/program.js';
import { atOrAbove, functionNamed } from '../schemas/setting-paths.js';
import type { Span } from '../source/span.js';
import type { Expression, Property } from '../syntax/ast.js';
import { references } from './stage-graph.js';
import type { CheckedStage } from './stages.js';

/** By name. */
export type Stages = ReadonlyMap<string, CheckedStage>;

/** `train adapter`: where what is missing from a block is reported. */
export const headingOf = ({ block }: Pick<CheckedStage, 'block'>): Span => ({
  ...block.kind.span,
  end: block.name.span.end,
});

export const propertyOf = ({ block }: Pick<CheckedStage, 'block'>, key: string): Property | undefined =>
  block.properties.find((property) => property.key.text === key);

/** Of the setting's value; of the stage's name where the stage does not set it. */
export const settingSpan = (checked: CheckedStage, key: string): Span =>
  propertyOf(checked, key)?.value.span ?? checked.block.name.span;

interface SettingText {
  readonly expression: Expression;
  /** It is the value at the path, and not only one that the path leads into. */
  readonly isWhole: boolean;
}

/** What the text has at a path, or as far as the path leads; `undefined` if none of the properties begins it. */
export function textAt(properties: readonly Property[], path: string): SettingText | undefined {
  const [first = '', ...rest] = path.split('.');
  let expression = properties.find(({ key }) => key.text === first)?.value;
  if (expression === undefined) return undefined;
  for (const key of rest) {
    const next = partAt(expression, key);
    if (next === undefined) return { expression, isWhole: false };
    expression = next;
  }
  return { expression, isWhole: true };
}

function partAt(expression: Expression, key: string): Expression | undefined {
  if (expression.kind === 'record') return expression.entries.find((entry) => entry.key.text === key)?.value;
  if (expression.kind === 'list') return expression.items[Number(key)];
  if (expression.kind !== 'call') return undefined;
  const named = expression.args.find(({ name }) => name?.text === key);
  if (named !== undefined) return named.value;
  const position = functionNamed(expression.callee.text)?.positional.indexOf(key) ?? -1;
  return expression.args.filter(({ name }) => name === undefined)[position]?.value;
}

/** A value that lies inside another one was set with it. */
export const originOf = ({ stage }: Pick<CheckedStage, 'stage'>, path: string): Origin =>
  atOrAbove(stage.origins, path) ?? 'default';

export const presetOf = ({ stage }: Pick<CheckedStage, 'stage'>, path: string): PresetOrigin | undefined =>
  atOrAbove(stage.presets, path);

/** The first stage that the setting refers to. */
export const referenceIn = ({ stage }: CheckedStage, key: string): Reference | undefined =>
  references(stage.settings[key] ?? null)[0];

/** The train stage that a stage that trains or merges gets its adapter from. */
export function trainedBy(name: string, stages: Stages): CheckedStage | undefined {
  const checked = stages.get(name);
  if (checked?.stage.kind === 'train') return checked;
  const adapter = checked?.stage.kind === 'merge' ? referenceIn(checked, 'adapter') : undefined;
  return adapter && trainedBy(adapter.stage, stages);
}
