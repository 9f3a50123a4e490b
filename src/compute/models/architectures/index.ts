/** What the rest of the program asks of a model's architecture. */
import type { ModelConfig } from '../types.js';
import type { Blueprint, Projection } from './blueprint.js';
import { FAMILIES } from './families/index.js';
import {
  blockName,
  blockOf,
  blockTensors,
  type ExpectedTensor,
  headNormTensors,
  projectionsOf,
  weightName,
} from './tensors.js';

const blueprints = new WeakMap<ModelConfig, Blueprint>();

export function blueprintOf(config: ModelConfig): Blueprint {
  const known = blueprints.get(config) ?? withHead(config, FAMILIES[config.architecture].blueprint(config));
  blueprints.set(config, known);
  return known;
}

/** A classifier's head is a linear layer without bias or bound (transformers, `GenericForSequenceClassification`). */
const withHead = ({ labels, hiddenSize }: ModelConfig, blueprint: Blueprint): Blueprint =>
  labels === undefined
    ? blueprint
    : {
        ...blueprint,
        head: {
          norm: blueprint.head.norm,
          output: { name: weightName({ module: SCORE }), shape: [labels.length, hiddenSize] },
        },
      };

/** What transformers calls the head of a classifier in every family. */
export const SCORE = 'score';

/** Every tensor that a model needs, by its full name, in the order of its layers. */
export function expectedTensors(config: ModelConfig): readonly ExpectedTensor[] {
  const blueprint = blueprintOf(config);
  const { embedding, positions, layers, head } = blueprint;
  const outer = (shape: typeof embedding, role: ExpectedTensor['role']): ExpectedTensor => ({
    ...shape,
    role,
  });
  return [
    outer(embedding, 'embedding'),
    ...(positions === undefined ? [] : [outer(positions, 'positions')]),
    ...layers.flatMap((_, layer) =>
      blockTensors(blockOf(blueprint, layer), config.headDim).map((tensor) => ({
        ...tensor,
        name: blockName(blueprint, layer, tensor.name),
      })),
    ),
    ...headNormTensors(blueprint),
    ...(head.output.name === embedding.name ? [] : [outer(head.output, 'head')]),
  ];
}

export interface PlacedProjection extends Projection {
  /** Full path: `model.layers.0.self_attn.q_proj`. */
  readonly path: string;
  readonly layer: number;
}

/** The linear layers of all blocks, which adapters and quantisation are for. */
export function projectionsOfModel(config: ModelConfig): readonly PlacedProjection[] {
  const blueprint = blueprintOf(config);
  return blueprint.layers.flatMap((_, layer) =>
    projectionsOf(blockOf(blueprint, layer)).map((projection) => ({
      ...projection,
      layer,
      path: blockName(blueprint, layer, projection.module),
    })),
  );
}

export type { BlockBlueprint, Blueprint, NamedShape, Projection, Rotary } from './blueprint.js';
export { FAMILIES } from './families/index.js';
export * from './tensors.js';
