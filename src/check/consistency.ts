/** Wirings that are well typed and cannot be meant. */
import { baseMismatch, emptySplit, impossibleRequirement } from '../diagnostics/catalogue/wiring.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Reference, Value } from '../ir/types.js';
import type { Span } from '../source/span.js';
import type { World } from './context.js';
import { fileTexts } from './file-texts.js';
import { neverHolds } from './impossible.js';
import { sameForm, sameTokenizer } from './same-form.js';
import type { CheckedStage } from './stages.js';
import { references } from './wiring.js';

export type Stages = ReadonlyMap<string, CheckedStage>;
type Check = (checked: CheckedStage, stages: Stages, world: World) => readonly Diagnostic[];

export const settingSpan = ({ block }: CheckedStage, key: string): Span =>
  block.properties.find((property) => property.key.text === key)?.value.span ?? block.name.span;

export const referenceIn = ({ stage }: CheckedStage, key: string): Reference | undefined =>
  references(stage.settings[key] ?? null)[0];

/** `dialogs.valid` where the data stage gives `valid` no share. */
const emptySplits: Check = (checked, stages) =>
  ['dataset', 'validate'].flatMap((key) => {
    const reference = referenceIn(checked, key);
    const format = reference && stages.get(reference.stage);
    const from = format && referenceIn(format, 'from');
    const data = from && stages.get(from.stage);
    if (reference === undefined || data === undefined || !data.isSound) return [];
    const split = data.stage.settings['split'] as Readonly<Record<string, Value>> | undefined;
    const share = split === undefined ? (reference.port === 'train' ? 1 : 0) : split[reference.port];
    if (reference.port === 'all' || (typeof share === 'number' && share > 0)) return [];
    const span = split === undefined ? data.block.name.span : settingSpan(data, 'split');
    const written = `${reference.stage}.${reference.port}`;
    return [emptySplit(settingSpan(checked, key), written, data.stage.name, span)];
  });

/** An adapter is merged into the base that it was trained on. */
const sameBase: Check = (checked, stages) => {
  const adapter = checked.stage.kind === 'merge' ? referenceIn(checked, 'adapter') : undefined;
  const trained = adapter && stages.get(adapter.stage);
  if (adapter === undefined || trained === undefined || !trained.isSound) return [];
  const [own, other] = [checked.stage.settings['base'], trained.stage.settings['base']];
  if (JSON.stringify(own) === JSON.stringify(other)) return [];
  const name = `${adapter.stage}.${adapter.port}`;
  return [baseMismatch(settingSpan(checked, 'base'), name, settingSpan(trained, 'base'))];
};

/** A gate that no model passes, such as `-baseline.rouge_l >= 0.02`. */
const possibleGates: Check = ({ stage, schema }) =>
  stage.requires
    .filter(({ condition }) => neverHolds(condition, schema.metrics))
    .map(({ span, text }) => impossibleRequirement(span, text));

const CHECKS: readonly Check[] = [possibleGates, fileTexts, emptySplits, sameBase, sameTokenizer, sameForm];

export function checkConsistency(stages: readonly CheckedStage[], world: World): readonly Diagnostic[] {
  const byName = new Map(stages.map((checked) => [checked.stage.name, checked]));
  return stages
    .filter(({ isSound }) => isSound)
    .flatMap((checked) => CHECKS.flatMap((check) => check(checked, byName, world)));
}
