/** Stages that a matrix makes of one block: their names, and which of them refer to each other. */
import { withNames } from '../ir/expression.js';
import type { Requirement, Value } from '../ir/program.js';
import { isList, isRecord, isReference } from '../ir/values.js';
import type { Binding } from './matrix.js';
import type { CheckedStage } from './stages.js';

/** Of a declared stage: the matrices that tell its instances apart. */
export type Axes = ReadonlyMap<string, readonly string[]>;

/** `adapter@rate=1e-4,rank=8` */
export function instanceName(name: string, binding: Binding, axes: Axes): string {
  const at = (axes.get(name) ?? []).map((matrix) => `${matrix}=${binding.get(matrix)?.label ?? ''}`);
  return at.length === 0 ? name : `${name}@${at.join(',')}`;
}

/** The stage in one combination: its own name, and those of the instances that it reads. */
export function asInstance(checked: CheckedStage, binding: Binding, axes: Axes): CheckedStage {
  const { stage, uses } = checked;
  const own = axes.get(stage.name) ?? [];
  if (own.length === 0) return checked;
  const named = (name: string): string => instanceName(name, binding, axes);
  const at = own.flatMap((matrix) => {
    const value = binding.get(matrix)?.constant.value;
    return value === undefined ? [] : [[matrix, value] as const];
  });
  const settings = Object.entries(stage.settings).map(([key, value]) => [key, renamed(value, named)]);
  return {
    ...checked,
    uses: uses.map((use) => ({ ...use, stage: named(use.stage) })),
    stage: {
      ...stage,
      name: named(stage.name),
      instance: { of: stage.name, at: Object.fromEntries(at) },
      settings: Object.fromEntries(settings),
      requires: stage.requires.map((requirement) => requirementOf(requirement, named)),
    },
  };
}

/** A requirement whose metrics are those of instances. */
export const requirementOf = (requirement: Requirement, named: (stage: string) => string): Requirement => ({
  ...requirement,
  condition: withNames(requirement.condition, ([first = '', ...rest]) =>
    rest.length === 0 || first === 'baseline' ? [first, ...rest] : [named(first), ...rest],
  ),
});

/** A value whose references name instances. */
function renamed(value: Value, named: (stage: string) => string): Value {
  if (isReference(value)) return { stage: named(value.stage), port: value.port };
  if (isList(value)) return value.map((item) => renamed(item, named));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, renamed(inner, named)]));
}
