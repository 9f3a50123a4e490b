/** What the rest of the program asks of a model's architecture. */

import { GraphError } from '../../tensor/shape.js';
import { type ExpertParameter, expertParameters } from '../experts.js';
import { foreignLinears, foreignTensors, isOfSenses, NORM } from '../foreign.js';
import type { ForeignModel, ModelConfig } from '../types.js';
import type { BlockBlueprint, Blueprint, NamedShape, Norm, Projection } from './blueprint.js';
import { FAMILIES } from './families/index.js';

/** What follows from a model's config is worked out once: plans ask for it thousands of times. */
function perModel<T>(of: (config: ModelConfig) => T): (config: ModelConfig) => T {
  const known = new WeakMap<ModelConfig, { readonly value: T }>();
  return (config) => {
    const found = known.get(config) ?? { value: of(config) };
    known.set(config, found);
    return found.value;
  };
}

export const blueprintOf = perModel((config) =>
  withHead(config, FAMILIES[config.architecture].blueprint(config)),
);

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
export const expectedTensors = perModel((config): readonly ExpectedTensor[] => {
  if (config.foreign !== undefined) return expectedOfForeign(config, config.foreign);
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
});

/** Those that are trained where all of a model is: parts that see or hear stay as they are. */
export const trainableTensors = perModel((config): readonly ExpectedTensor[] =>
  expectedTensors(config).filter((tensor) => !isOfSenses(tensor)),
);

/** Those of the files; with labels, the head is another. */
function expectedOfForeign(config: ModelConfig, foreign: ForeignModel): readonly ExpectedTensor[] {
  const linear = new Set(foreignLinears(foreign).map((one) => weightName({ module: one.path })));
  const { embedding, head } = blueprintOf(config);
  const roleOf = (name: string, shape: readonly number[]): ExpectedTensor['role'] => {
    if (linear.has(name)) return 'projection';
    if (name === embedding.name) return 'embedding';
    return shape.length === 1 || NORM.test(name) ? 'norm' : 'head';
  };
  const own = foreignTensors(foreign).map(({ name, shape }) => ({ name, shape, role: roleOf(name, shape) }));
  if (config.labels === undefined) return own;
  const { name, shape } = head.output;
  return [
    ...own.filter((tensor) => tensor.name !== name && !/lm_head/.test(tensor.name)),
    { name, shape, role: 'head' },
  ];
}

export interface PlacedProjection extends Projection {
  /** Full path: `model.layers.0.self_attn.q_proj`. */
  readonly path: string;
  readonly layer: number;
}

/** The linear layers of all blocks, which adapters and quantisation are for. */
export const projectionsOfModel = perModel((config): readonly PlacedProjection[] => {
  if (config.foreign !== undefined) return foreignLinears(config.foreign);
  const blueprint = blueprintOf(config);
  return blueprint.layers.flatMap((_, layer) =>
    projectionsOf(blockOf(blueprint, layer)).map((projection) => ({
      ...projection,
      layer,
      path: blockName(blueprint, layer, projection.module),
    })),
  );
});

/** What adapters may have of experts, in the order of the layers. */
export const expertsOfModel = perModel((config): readonly ExpertParameter[] =>
  config.foreign === undefined
    ? []
    : expertParameters(foreignTensors(config.foreign), config.foreign.modelType),
);

export type { BlockBlueprint, Blueprint, NamedShape, Projection, Rotary } from './blueprint.js';
export { FAMILIES } from './families/index.js';

/** What a tensor does, which decides how it is initialised and whether NF4 storage quantises it. */
type TensorRole = 'embedding' | 'positions' | 'projection' | 'norm' | 'bias' | 'head';

export interface ExpectedTensor extends NamedShape {
  readonly role: TensorRole;
  /** Value of a fresh norm's weight. */
  readonly unit?: 0 | 1;
  /** A matrix of a linear layer that is stored `[inputs, outputs]`. */
  readonly transposed?: boolean;
}

export const weightName = ({ module }: { readonly module: string }): string => `${module}.weight`;
export const biasName = ({ module }: { readonly module: string }): string => `${module}.bias`;

export const weightShape = ({ outputs, inputs, transposed }: Projection): readonly [number, number] =>
  transposed ? [inputs, outputs] : [outputs, inputs];

/** What gives queries, keys and values. */
export const inputsOf = ({ inputs }: BlockBlueprint['attention']): readonly Projection[] =>
  inputs.kind === 'separate' ? [inputs.q, inputs.k, inputs.v] : [inputs.all];

/** The linear layers of a block, in the order in which it uses them. */
export function projectionsOf({ attention, mlp }: BlockBlueprint): readonly Projection[] {
  const { up } = mlp;
  return [
    ...inputsOf(attention),
    attention.output,
    ...(up.kind === 'gated' ? [up.gate, up.up] : up.kind === 'plain' ? [up.up] : [up.both]),
    mlp.down,
  ];
}

const normTensors = (norm: Norm, width: number): readonly ExpectedTensor[] => [
  { name: weightName(norm), shape: [width], role: 'norm', unit: norm.offset === 1 ? 0 : 1 },
  ...(norm.kind === 'layer'
    ? [{ name: biasName(norm), shape: [width], role: 'bias' as const } satisfies ExpectedTensor]
    : []),
];

const projectionTensors = (projection: Projection): readonly ExpectedTensor[] => [
  {
    name: weightName(projection),
    shape: weightShape(projection),
    role: 'projection',
    ...(projection.transposed ? { transposed: true } : {}),
  },
  ...(projection.bias
    ? [{ name: biasName(projection), shape: [projection.outputs], role: 'bias' as const }]
    : []),
];

/** Tensors of a block, by their names within it. */
export function blockTensors(block: BlockBlueprint, headDim: number): readonly ExpectedTensor[] {
  const { attention, mlp } = block;
  const hidden = attention.output.outputs;
  const norms = [attention.norm, attention.after, mlp.norm, mlp.after].filter((norm) => norm !== undefined);
  const heads = attention.headNorms === undefined ? [] : [attention.headNorms.q, attention.headNorms.k];
  // parallel blocks may share one norm
  const distinct = norms.filter(
    ({ module }, index) => norms.findIndex((norm) => norm.module === module) === index,
  );
  return [
    ...distinct.flatMap((norm) => normTensors(norm, hidden)),
    ...heads.flatMap((norm) => normTensors(norm, headDim)),
    ...projectionsOf(block).flatMap(projectionTensors),
  ];
}

export const blockName = ({ blocksAt }: Blueprint, layer: number, name: string): string =>
  `${blocksAt}.${layer}.${name}`;

export function blockOf({ layers, blocks }: Blueprint, layer: number): BlockBlueprint {
  const block = blocks[layers[layer] ?? ''];
  if (block === undefined) throw new GraphError(`block ${layer} of ${layers.length}`);
  return block;
}

/** Tensors of the final norm, by their full names. */
export const headNormTensors = ({ head, embedding }: Blueprint): readonly ExpectedTensor[] =>
  normTensors(head.norm, embedding.shape[1] ?? 0);
