/** Sets of linear layers by a name that means the same in every family, and what a target may be called. */
import {
  type BlockBlueprint,
  blueprintOf,
  type PlacedProjection,
  type Projection,
  projectionsOf,
  projectionsOfModel,
} from '../architectures/index.js';
import type { ModelConfig } from '../types.js';
import { isNamed } from './branches.js';

/** Which linear layers of a block a set has. */
const MEMBERS = {
  /** Every one: PEFT's `all-linear`, which leaves the head out. */
  all_linear: projectionsOf,
  attention: ({ attention }: BlockBlueprint) => [...inputsOf(attention), attention.output],
  /** What PEFT takes where no target is named: queries and values, or the layer that they are fused in. */
  query_value: ({ attention }: BlockBlueprint) =>
    attention.inputs.kind === 'separate' ? [attention.inputs.q, attention.inputs.v] : inputsOf(attention),
} as const satisfies Readonly<Record<string, (block: BlockBlueprint) => readonly Projection[]>>;

export type TargetSet = keyof typeof MEMBERS;

const inputsOf = ({ inputs }: BlockBlueprint['attention']): readonly Projection[] =>
  inputs.kind === 'separate' ? [inputs.q, inputs.k, inputs.v] : [inputs.all];

/**
 * The targets of a set, as PEFT lists them: the last part of a path, or as much more of it as tells the layer from
 * those that are not in the set.
 */
export function targetsOfSet(config: ModelConfig, set: TargetSet): readonly string[] {
  const found = Object.values(blueprintOf(config).blocks).flatMap((block) => {
    const members = MEMBERS[set](block);
    const others = projectionsOf(block).filter((projection) => !members.includes(projection));
    return members.map(({ target, module }) =>
      others.some((other) => isNamed(other.module, target)) ? module : target,
    );
  });
  return [...new Set(found)];
}

/** Names that a target may have: last parts of paths, and paths within a block. */
export const targetNames = (config: ModelConfig): readonly string[] => [
  ...new Set([
    ...projectionsOfModel(config).map(({ target }) => target),
    ...projectionsOfModel(config).map(({ module }) => module),
  ]),
];

/** The linear layers that a target names, whatever their layer. */
export const projectionsNamed = (config: ModelConfig, target: string): readonly PlacedProjection[] =>
  projectionsOfModel(config).filter(({ path }) => isNamed(path, target));
