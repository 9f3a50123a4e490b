/** Keys and values of a prefix, ready for each layer, and the way back of their gradients. */
import type { CompiledGraph, HostTensor, Runtime, Tensors } from '../../tensor/types.js';
import { PREFIX_EMBEDDING } from '../adapters/prefix.js';
import { prefixGraphs as architecturePrefix } from '../architectures/graphs/prefix.js';
import type { Adapter, ModelConfig } from '../types.js';
import { prefixGraphs } from './graphs.js';
import { floatTensor, type HostFloats, zeros } from './parameters.js';
import type { DecoderResources } from './resources.js';

type HostTensors = Readonly<Record<string, HostTensor>>;

export interface Prefix {
  readonly tokens: number;
  /** `prefix.keys` and `prefix.values` of a layer, `[keyValueHeads, tokens, dim]` each. */
  inputs(layer: number): HostTensors;
  /** What the gradients of a layer's are added to, as `total.prefix.keys` and `total.prefix.values`. */
  totals(layer: number): HostTensors;
  /** Computes the keys and values from what is trained; clears their gradients. */
  prepare(): Promise<void>;
  /** Adds the gradients of the keys and values to those of what is trained. */
  backward(): Promise<void>;
}

const NONE: Prefix = {
  tokens: 0,
  inputs: () => ({}),
  totals: () => ({}),
  prepare: async () => {},
  backward: async () => {},
};

/** Numbers that a prefix holds besides its trained tensors: its keys and values, and in training their gradients. */
export const prefixFloats = (
  { layers, keyValueHeads, headDim }: ModelConfig,
  tokens: number,
  training: boolean,
): number => (training ? 2 : 1) * tokens * 2 * layers * keyValueHeads * headDim;

/** The prefix of an adapter by prefix tuning; one of no tokens for any other. */
export function createPrefix({ options, graphs, compiled, parameters }: DecoderResources): Prefix {
  const { adapter, config, trainable } = options;
  if (adapter?.config.kind !== 'prefix') return NONE;
  const own = adapter.config;
  const { tokens } = own;
  const lanes = [config.keyValueHeads, tokens, config.headDim];
  const shape = [2 * config.layers, ...lanes];
  const size = prefixFloats(config, tokens, false);
  const training = trainable === 'adapter';
  const states = zeros(shape);
  const gradients = floatTensor(shape, new Float32Array(training ? size : 0));
  const byLayer = ({ data }: HostFloats, prefix: string): readonly HostTensors[] => {
    const length = size / (2 * config.layers);
    const lane = (index: number): HostTensor =>
      floatTensor(lanes, data.subarray(index * length, (index + 1) * length));
    return Array.from({ length: config.layers }, (_, layer) => ({
      [`${prefix}prefix.keys`]: lane(2 * layer),
      [`${prefix}prefix.values`]: lane(2 * layer + 1),
    }));
  };
  const inputs = byLayer(states, '');
  const totals = training ? byLayer(gradients, 'total.') : [];
  const graphOf = (role: 'forward' | 'backward'): Promise<CompiledGraph> =>
    compiled.get(`prefix ${role}`, () => prefixGraphs(graphs, own)[role]);
  const trained = (): Tensors =>
    Object.fromEntries(
      [...adapter.tensors].map(([name, { shape, data }]) => [
        name,
        parameters.valueTensors.get(name) ?? floatTensor(shape, data),
      ]),
    );
  let isReady = false;
  return {
    tokens,
    inputs: (layer) => inputs[layer] ?? {},
    totals: (layer) => totals[layer] ?? {},
    async prepare() {
      if (isReady) return;
      await (await graphOf('forward')).run(trained(), { states });
      gradients.data.fill(0);
      // what is trained changes between any two passes
      isReady = !training;
    },
    async backward() {
      const graph = await graphOf('backward');
      const sums = [...parameters.gradientTensors];
      await graph.run(
        {
          ...trained(),
          dstates: gradients,
          ...Object.fromEntries(sums.map(([name, sum]) => [`total.${name}`, sum])),
        },
        Object.fromEntries(sums.map(([name, sum]) => [`grad.${name}`, sum])),
      );
    },
  };
}

/** A prefix that a projection computed, as PEFT saves it: without the projection. */
export async function plainPrefix(
  runtime: Runtime,
  model: ModelConfig,
  adapter: Adapter<'prefix'>,
): Promise<Adapter<'prefix'>> {
  const { config, tensors } = adapter;
  if (config.projection === undefined) return adapter;
  const graph = await runtime.compile(architecturePrefix(model, config).flat);
  const inputs = Object.fromEntries(
    [...tensors].map(([name, { shape, data }]) => [name, floatTensor(shape, data)]),
  );
  const { flat } = await graph.run(inputs);
  await graph.release();
  const data = Float32Array.from((flat?.data ?? []) as Float32Array);
  const { tokens } = config;
  return {
    config: { kind: 'prefix', tokens },
    tensors: new Map([[PREFIX_EMBEDDING, { shape: [tokens, data.length / tokens], data }]]),
  };
}
