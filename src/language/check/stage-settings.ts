/** What checks across stages look up: a setting's place in the text, and the stage that it refers to. */
import type { Reference } from '../ir/types.js';
import type { Span } from '../source/span.js';
import type { CheckedStage } from './stages.js';
import { references } from './wiring.js';

/** By name. */
export type Stages = ReadonlyMap<string, CheckedStage>;

/** Of the setting's value; of the stage's name where the stage does not set it. */
export const settingSpan = ({ block }: CheckedStage, key: string): Span =>
  block.properties.find((property) => property.key.text === key)?.value.span ?? block.name.span;

/** The first stage that the setting refers to. */
export const referenceIn = ({ stage }: CheckedStage, key: string): Reference | undefined =>
  references(stage.settings[key] ?? null)[0];

/** The train stage behind a stage that trains or merges. */
export function trainedBy(name: string, stages: Stages): CheckedStage | undefined {
  const checked = stages.get(name);
  if (checked?.stage.kind === 'train') return checked;
  const adapter = checked?.stage.kind === 'merge' ? referenceIn(checked, 'adapter') : undefined;
  return adapter && trainedBy(adapter.stage, stages);
}
