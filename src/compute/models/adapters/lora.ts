import { sizeOf } from '../../tensor/shape.js';
import { projectionsOf, projectionsOfModel } from '../architectures/index.js';
import { fillNormal, fillUniform } from '../philox.js';
import type { AdapterTensors, ModelConfig } from '../types.js';
import { biasesInBlock, biasesOf, trainedBiases } from './biases.js';
import {
  type AdaptedProjection,
  adaptedExperts,
  adaptedProjections,
  branchAt,
  branchTensors,
  downName,
  expertFactors,
  firstDownName,
  firstUpName,
  isNamed,
  magnitudeName,
  upName,
} from './branches.js';
import type { LoraConfig } from './config.js';
import {
  type AdapterDefinition,
  type AdapterInits,
  type Branch,
  type InitOptions,
  needed,
} from './definition.js';
import { type AdaptedOuter, adaptedOuter, outerFactors, outerLayers, outerTensors } from './outer.js';
import { Matrices, plainConfig, principalFactors } from './pissa.js';
import { initWhole, wholeShapes } from './whole.js';

/** LoRA (Hu et al. 2021, arXiv 2106.09685) with its variants, as PEFT computes them. */
export const lora: AdapterDefinition<'lora'> = {
  shapes: (model, adapter) => [
    ...adaptedProjections(model, adapter).flatMap((projection) =>
      branchTensors(projection.branch, projection, projection.path),
    ),
    ...adaptedOuter(model, adapter).flatMap(outerTensors),
    ...adaptedExperts(model, adapter).flatMap(expertFactors),
    ...trainedBiases(model, adapter),
    ...wholeShapes(model, adapter),
  ],
  firstShapes: (model, adapter) =>
    adaptedProjections(model, adapter)
      .filter(({ branch }) => branch.residual)
      .flatMap(({ path, inputs, outputs, branch: { rank } }) => [
        { name: firstDownName(path), shape: [rank, inputs] },
        { name: firstUpName(path), shape: [outputs, rank] },
      ]),
  savedConfig: plainConfig,
  init: initLora,
  inBlock: (adapter, { block, layer, path }) => ({
    branches: Object.fromEntries(
      projectionsOf(block).flatMap(({ module }): [string, Branch][] => {
        const branch = branchAt(adapter, path(module), layer);
        return branch === undefined ? [] : [[module, branch]];
      }),
    ),
    biases: biasesInBlock(adapter, { block, layer, path }),
  }),
  modules(model, adapter) {
    const shapes = trainedBiases(model, adapter);
    const of = biasesOf(model).length;
    return shapes.length === 0 ? [] : [{ module: 'bias', layers: shapes.length, of, shapes }];
  },
  blockInput: /\.lora_/,
};

/**
 * A from Kaiming's uniform with a = √5, which is U(−1/√in, 1/√in), or normal with a deviation of 1/rank; B zero, so that
 * the adapted model starts as its base; DoRA's magnitudes the norms of the rows of the base's weights. The values of A
 * depend on seed, tensor and rank alone. Under PiSSA, A and B are the principal parts of the weights; biases are those of
 * the base. Throws a
 * `RangeError` where a target names no linear layer.
 */
function initLora(
  model: ModelConfig,
  adapter: LoraConfig,
  { seed, init = 'kaiming', weights }: InitOptions<'lora'>,
): AdapterTensors {
  const all = projectionsOfModel(model);
  const known = [...all, ...outerLayers(model)];
  const unknown = adapter.targets.find((target) => known.every(({ path }) => !isNamed(path, target)));
  if (unknown !== undefined) throw new RangeError(`no projection is named ${unknown}`);
  const matrices = weights && new Matrices(weights);
  const factors = adaptedProjections(model, adapter).flatMap((projection) => {
    const { path, outputs, inputs, branch } = projection;
    const down = [branch.rank, inputs];
    const up = [outputs, branch.rank];
    const made = branch.residual
      ? principalFactors(needed(matrices, 'PiSSA').of(path), projection)
      : { down: randomFactor(projection, seed, init), up: new Float32Array(outputs * branch.rank) };
    return [
      [downName(path), { shape: down, data: made.down }],
      [upName(path), { shape: up, data: made.up }],
      ...(branch.residual
        ? ([
            [firstDownName(path), { shape: down, data: made.down.slice() }],
            [firstUpName(path), { shape: up, data: made.up.slice() }],
          ] as const)
        : []),
      ...(branch.dora
        ? ([
            [
              magnitudeName(path),
              { shape: [outputs], data: rowNorms(needed(matrices, 'DoRA').of(path), projection) },
            ],
          ] as const)
        : []),
    ] as const;
  });
  const ofExperts = adaptedExperts(model, adapter).flatMap((experts) => {
    const { path, inputs, branch } = experts;
    const [down, up] = expertFactors(experts);
    return [
      [
        down.name,
        { shape: down.shape, data: randomFactor({ path, inputs, branch }, seed, init, experts.experts) },
      ],
      [up.name, { shape: up.shape, data: new Float32Array(sizeOf(up.shape)) }],
    ] as const;
  });
  const biases = trainedBiases(model, adapter).map(({ name, shape }) => {
    const data = new Float32Array(sizeOf(shape));
    needed(weights, 'a trained bias').get(name).dequantise(data);
    return [name, { shape, data }] as const;
  });
  const outer = adaptedOuter(model, adapter).flatMap((layer) => initOuter(layer, { seed, init, matrices }));
  return new Map([
    ...factors,
    ...outer,
    ...ofExperts,
    ...biases,
    ...initWhole(model, adapter, { seed, weights }),
  ]);
}

/** A head's as those of any layer; of an embedding, A is zero and B normal. */
function initOuter(
  layer: AdaptedOuter,
  {
    seed,
    init,
    matrices,
  }: Required<Pick<InitOptions<'lora'>, 'seed' | 'init'>> & { readonly matrices: Matrices | undefined },
): readonly (readonly [name: string, tensor: { shape: readonly number[]; data: Float32Array }])[] {
  const { path, role, branch, inputs, outputs } = layer;
  const { down, up } = outerFactors(layer);
  const shapes = { down: [branch.rank, inputs], up: [outputs, branch.rank] };
  if (role === 'embedding') {
    const values = new Float32Array(outputs * branch.rank);
    fillNormal(values, seed, `${path}.lora_embedding_B`, 1);
    return [
      [down, { shape: shapes.down, data: new Float32Array(branch.rank * inputs) }],
      [up, { shape: shapes.up, data: values }],
    ];
  }
  const matrix = (): Float32Array => needed(matrices, 'DoRA').named(layer.stored);
  return [
    [down, { shape: shapes.down, data: randomFactor(layer, seed, init) }],
    [up, { shape: shapes.up, data: new Float32Array(outputs * branch.rank) }],
    ...(branch.dora
      ? ([[magnitudeName(path), { shape: [outputs], data: rowNorms(matrix(), layer) }]] as const)
      : []),
  ];
}

function randomFactor(
  { path, inputs, branch: { rank } }: Pick<AdaptedProjection, 'path' | 'inputs' | 'branch'>,
  seed: number,
  init: AdapterInits['lora'],
  count = 1,
): Float32Array {
  const values = new Float32Array(count * rank * inputs);
  const stream = `${path}.lora_A`;
  const bound = 1 / Math.sqrt(inputs);
  if (init === 'gaussian') fillNormal(values, seed, stream, 1 / rank);
  else fillUniform(values, seed, stream, -bound, bound);
  return values;
}

/** The norm of what each output is computed with, summed in float64. */
function rowNorms(
  values: Float32Array,
  { outputs, inputs, transposed }: Pick<AdaptedProjection, 'outputs' | 'inputs' | 'transposed'>,
): Float32Array {
  const [ofOutput, ofInput] = transposed ? [1, outputs] : [inputs, 1];
  return Float32Array.from({ length: outputs }, (_, output) => {
    let sum = 0;
    for (let input = 0; input < inputs; input++)
      sum += (values[output * ofOutput + input * ofInput] as number) ** 2;
    return Math.sqrt(sum);
  });
}
