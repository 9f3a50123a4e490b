/**
 * Bottleneck adapters: small networks that are trained after the attention and the MLP of a block (Houlsby et al. 2019,
 * arXiv 1902.00751; Pfeiffer et al. 2020, arXiv 2005.00247), or next to them (He et al. 2021, arXiv 2110.04366). What they
 * compute and what their tensors are called is that of AdapterHub's `adapters` 1.3.
 */
import { sizeOf } from '../../tensor/shape.js';
import {
  type BlockBlueprint,
  blockName,
  blockOf,
  blueprintOf,
  type NamedShape,
} from '../architectures/index.js';
import { fillNormal, fillUniform } from '../philox.js';
import type { ModelConfig } from '../types.js';
import type { BottleneckConfig, BottleneckPlace } from './config.js';
import type { AdapterDefinition, AdapterInits, Bottlenecks } from './definition.js';

/** Where they are within a block, by the part. */
export const BOTTLENECK_MODULES: Readonly<Record<BottleneckPlace, string>> = {
  attention: 'attention_adapters',
  mlp: 'output_adapters',
};

export const BOTTLENECK_PLACES = Object.keys(BOTTLENECK_MODULES) as readonly BottleneckPlace[];

/** What the library keeps adapters apart by; a model here has one. */
export const ADAPTER_NAME = 'default';

export const bottleneckModule = (place: BottleneckPlace): string =>
  `${BOTTLENECK_MODULES[place]}.adapters.${ADAPTER_NAME}`;

/** Quotient of the hidden size without its fraction, and never less than 1 (adapters, `Adapter.__init__`). */
export const bottleneckSize = (hidden: number, reduction: number): number =>
  Math.max(1, Math.round((hidden - (hidden % reduction)) / reduction));

/** The adapters of one block. */
function bottlenecksAt(
  { attention }: BlockBlueprint,
  { reduction, places, activation, reads, scale, leaveOut }: BottleneckConfig,
  layer: number,
): Bottlenecks {
  if (leaveOut?.includes(layer)) return {};
  const size = bottleneckSize(attention.output.outputs, reduction);
  return Object.fromEntries(places.map((place) => [place, { size, activation, reads, scale }]));
}

/** Tensors of a block's adapters, by their names within it: down `[size, hidden]` and up `[hidden, size]`, with biases. */
const bottleneckTensors = (block: BlockBlueprint, bottlenecks: Bottlenecks): readonly NamedShape[] =>
  BOTTLENECK_PLACES.flatMap((place) => {
    const { size } = bottlenecks[place] ?? {};
    if (size === undefined) return [];
    const hidden = block.attention.output.outputs;
    const module = bottleneckModule(place);
    return [
      { name: `${module}.adapter_down.0.weight`, shape: [size, hidden] },
      { name: `${module}.adapter_down.0.bias`, shape: [size] },
      { name: `${module}.adapter_up.weight`, shape: [hidden, size] },
      { name: `${module}.adapter_up.bias`, shape: [hidden] },
    ];
  });

/** Whether there is a norm between what a part gives and the sum that an adapter reads: then there is no such sum. */
export const readsAcrossNorm = (config: ModelConfig, { places, reads }: BottleneckConfig): boolean =>
  reads === 'sum' &&
  Object.values(blueprintOf(config).blocks).some((block) =>
    places.some((place) => block[place].after !== undefined),
  );

/**
 * How the weights begin, by the library's names; biases are 0. `bert`: normal with a deviation of 0.02, so that the model
 * starts close to its base. `mam_adapter`: down from Kaiming's uniform with a = √5, which is U(−1/√hidden, 1/√hidden), and
 * up 0, so that it starts as its base.
 */
type Fill = (out: Float32Array, seed: number, name: string, inputs: number) => void;
const FILL: Readonly<Record<AdapterInits['bottleneck'], Fill>> = {
  bert: (out, seed, name) => fillNormal(out, seed, name, 0.02),
  mam_adapter(out, seed, name, inputs) {
    const bound = 1 / Math.sqrt(inputs);
    if (name.includes('adapter_down')) fillUniform(out, seed, name, -bound, bound);
  },
};

export const bottleneck: AdapterDefinition<'bottleneck'> = {
  shapes(model, adapter) {
    const blueprint = blueprintOf(model);
    return blueprint.layers.flatMap((_, layer) => {
      const block = blockOf(blueprint, layer);
      return bottleneckTensors(block, bottlenecksAt(block, adapter, layer)).map(({ name, shape }) => ({
        name: blockName(blueprint, layer, name),
        shape,
      }));
    });
  },
  init(model, adapter, { seed, init = 'bert' }) {
    const tensors = bottleneck.shapes(model, adapter).map(({ name, shape }) => {
      const data = new Float32Array(sizeOf(shape));
      const [, inputs] = shape;
      if (inputs !== undefined) FILL[init](data, seed, name, inputs);
      return [name, { shape, data }] as const;
    });
    return new Map(tensors);
  },
  inBlock: (adapter, { block, layer }) => ({ bottlenecks: bottlenecksAt(block, adapter, layer) }),
  misfit: (model, adapter) =>
    readsAcrossNorm(model, adapter)
      ? 'It reads the sum of the output of a sublayer and the hidden states, but this base has a norm between the two.'
      : undefined,
  blockInput: /_adapters\.adapters\./,
  modules: (model, adapter) =>
    BOTTLENECK_PLACES.flatMap((place) => {
      const module = bottleneckModule(place);
      const shapes = bottleneck.shapes(model, adapter).filter(({ name }) => name.includes(`.${module}.`));
      if (shapes.length === 0) return [];
      const layers = new Set(shapes.map(({ name }) => name.slice(0, name.indexOf(module)))).size;
      return [{ module: BOTTLENECK_MODULES[place], layers, of: model.layers, shapes }];
    }),
};
