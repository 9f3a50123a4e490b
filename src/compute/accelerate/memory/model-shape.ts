/** The shape of a model that is planned: sizes from its tensors, and how its blocks compute from the name of its architecture. */
import {
  blueprintOf,
  expectedTensors,
  type PlacedProjection,
  projectionsOfModel,
} from '../../models/architectures/index.js';
import { isOfSenses } from '../../models/foreign.js';
import type { ModelConfig } from '../../models/types.js';
import { blockTraits } from './blocks.js';
import type { BlockTraits, TorchLinear, TorchShape } from './shape.js';

const known = new WeakMap<ModelConfig, TorchShape>();

/** Worked out once: plans ask for it thousands of times. */
export function torchShape(config: ModelConfig): TorchShape {
  const shape = known.get(config) ?? shapeOf(config);
  known.set(config, shape);
  return shape;
}

const size = ({ shape }: { readonly shape: readonly number[] }): number =>
  shape.reduce((product, length) => product * length, 1);
const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

function shapeOf(config: ModelConfig): TorchShape {
  const { embedding, positions, blocksAt, head } = blueprintOf(config);
  const tensors = expectedTensors(config);
  const projections = projectionsOfModel(config);
  const block = traitsOf(config);
  const outer = [embedding.name, positions?.name, head.output.name];
  const rest = tensors.filter(({ name, role }) => role !== 'projection' && !outer.includes(name));
  const sizes = projections.map(({ inputs, outputs }) => inputs * outputs);
  const isTied = head.output.name === embedding.name;
  const { experts = 1, chosen = 1, modelType = config.architecture } = config.foreign ?? {};
  return {
    name: modelType,
    block,
    layers: config.layers,
    hidden: config.hiddenSize,
    queries: config.heads * config.headDim,
    keys: config.keyValueHeads * config.headDim,
    heads: config.heads,
    keyValueHeads: config.keyValueHeads,
    // a config has that of all experts that a token is given to
    inner: config.intermediateSize / chosen,
    activeExperts: chosen,
    experts,
    ...(experts > 1 ? { shared: sharedWidth(projections) } : {}),
    ...stateOf(projections, config.layers),
    ...latentOf(projections),
    vocabulary: config.labels?.length ?? config.vocabSize,
    isTied,
    linear: sum(sizes),
    embedding: size(embedding) + (positions === undefined ? 0 : size(positions)),
    head: isTied ? 0 : size(head.output),
    other: sum(rest.map(size)),
    otherOfSenses: sum(rest.filter(isOfSenses).map(size)),
    otherInBlocks: sum(rest.filter(({ name }) => name.startsWith(`${blocksAt}.`)).map(size)),
    largest: sizes.reduce((most, one) => Math.max(most, one), 0),
    linears: projections
      .filter(({ layer }) => layer === 0)
      .map(({ path, inputs, outputs }) => linearOf(block, path, inputs, outputs)),
  };
}

/**
 * Bytes per token and unit of width of what a state is made of, by the module that has one: of the delta rule and of Mamba 2 in
 * transformers' own code, which computes in float32 (counted with torch 2.15, transformers 5.24, over 64 to 768 tokens). Kernels that
 * are installed apart save less.
 */
const STATE_BYTES: Readonly<Record<string, number>> = { linear_attn: 98, mamba: 93 };
const STATE = /\.(linear_attn|mamba)\.out_proj$/;

function stateOf(projections: readonly PlacedProjection[], layers: number): Pick<TorchShape, 'state'> {
  const found = projections.filter(({ path }) => STATE.test(path));
  const [first] = found;
  if (first === undefined) return {};
  const perUnit = STATE_BYTES[STATE.exec(first.path)?.[1] ?? ''] ?? 0;
  return { state: { share: found.length / layers, bytes: perUnit * first.inputs } };
}

function latentOf(projections: readonly PlacedProjection[]): Pick<TorchShape, 'latent'> {
  const named = (name: string): PlacedProjection | undefined =>
    projections.find(({ layer, target }) => layer === 0 && target === name);
  const [values, output] = [named('kv_b_proj'), named('o_proj')];
  if (values === undefined || output === undefined) return {};
  const norms = values.inputs + (named('q_b_proj')?.inputs ?? 0);
  return { latent: { norms, values: values.outputs, output: output.inputs } };
}

const SHARED = /\.shared_(?:experts?|mlp)\.(?:down_proj|output_linear)$/;

/** Of the MLP that a block with experts has besides them, its width. */
const sharedWidth = (projections: readonly PlacedProjection[]): number =>
  projections.find(({ path }) => SHARED.test(path))?.inputs ?? 0;

/** Classes of architectures that transformers has in several sizes of MLP; what a family's own config says of it counts. */
function traitsOf({ architecture, foreign, parallel }: ModelConfig): BlockTraits {
  const traits = blockTraits(foreign?.modelType ?? architecture);
  return parallel === false && traits.norm === 'layer' ? { ...traits, normInputs: 2 } : traits;
}

/** Whose tensor a layer reads, by its place in the block. */
const PLACES: readonly (readonly [pattern: RegExp, reads: string])[] = [
  [/(?:attn|attention)\.(?:.*\.)?(?:o_proj|out_proj|c_proj|dense|wo)$/, 'attention output'],
  [/(?:down_proj|dense_4h_to_h|fc2|w2|c_proj|fc_out|output_linear)$/, 'mlp inner'],
  [/(?:gate_proj|up_proj|gate_up_proj|dense_h_to_4h|c_fc|fc1|fc_in|w1|w3|input_linear)$/, 'mlp input'],
];

const linearOf = (block: BlockTraits, path: string, inputs: number, outputs: number): TorchLinear => ({
  name: path.slice(path.lastIndexOf('.') + 1),
  reads: readsOf(block, path),
  inputs,
  outputs,
});

/** Whose tensor the layer of a path reads. */
export function readsOf({ norms }: BlockTraits, path: string): string {
  const found = PLACES.find(([pattern]) => pattern.test(path))?.[1] ?? 'attention input';
  // with one norm, attention and MLP read the same
  return found === 'mlp input' && norms === 1 ? 'attention input' : found;
}
