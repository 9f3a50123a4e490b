/** The kinds of adapters: what `definition.ts` says of each is looked up here. */
import {
  type BlockBlueprint,
  type Blueprint,
  blockName,
  blockOf,
  blueprintOf,
  type NamedShape,
} from '../architectures/index.js';
import type { Adapter, ModelConfig } from '../types.js';
import { bottleneck } from './bottleneck.js';
import type { AdapterConfig, AdapterKind } from './config.js';
import type { AdapterDefinition, AddedModule, InBlock, InitOptions } from './definition.js';
import { lora } from './lora.js';
import { prefix } from './prefix.js';
import { prompt } from './prompt.js';
import { head } from './whole.js';

const KINDS: { readonly [K in AdapterKind]: AdapterDefinition<K> } = {
  lora,
  prompt,
  prefix,
  bottleneck,
  head,
};

const definitionOf = <K extends AdapterKind>({ kind }: AdapterConfig<K>): AdapterDefinition<K> => KINDS[kind];

/** What an adapter has on a model is worked out once: plans ask for it thousands of times, each time with a config of its own. */
function perAdapter<A extends AdapterConfig | undefined, T>(
  of: (model: ModelConfig, adapter: A) => T,
): (model: ModelConfig, adapter: A) => T {
  const known = new WeakMap<ModelConfig, Map<string, { readonly value: T }>>();
  return (model, adapter) => {
    const ofModel = known.get(model) ?? new Map<string, { readonly value: T }>();
    known.set(model, ofModel);
    const key = JSON.stringify(adapter) ?? '';
    const found = ofModel.get(key) ?? { value: of(model, adapter) };
    ofModel.set(key, found);
    return found.value;
  };
}

export const adapterShapes = perAdapter((model: ModelConfig, adapter: AdapterConfig): readonly NamedShape[] =>
  definitionOf(adapter).shapes(model, adapter),
);

export const firstShapes = perAdapter(
  (model: ModelConfig, adapter: AdapterConfig): readonly NamedShape[] =>
    definitionOf(adapter).firstShapes?.(model, adapter) ?? [],
);

export const savedConfig = (adapter: AdapterConfig): AdapterConfig =>
  definitionOf(adapter).savedConfig?.(adapter) ?? adapter;

export const initAdapter = <K extends AdapterKind>(
  model: ModelConfig,
  config: AdapterConfig<K>,
  options: InitOptions<K>,
): Adapter<K> => ({ config, tensors: definitionOf(config).init(model, config, options) });

/** Virtual tokens that take positions from the texts. */
export const virtualTokensOf = (adapter: AdapterConfig | undefined): number =>
  adapter === undefined ? 0 : (definitionOf(adapter).virtualTokens?.(adapter) ?? 0);

export const addedModules = (model: ModelConfig, adapter: AdapterConfig): readonly AddedModule[] =>
  definitionOf(adapter).modules?.(model, adapter) ?? [];

export const misfit = (model: ModelConfig, adapter: AdapterConfig): string | undefined =>
  definitionOf(adapter).misfit?.(model, adapter);

/** Share of values that are set to zero in training. */
export const dropoutOf = (adapter: AdapterConfig | undefined): number =>
  adapter !== undefined && 'dropout' in adapter ? adapter.dropout : 0;

/** Whether an input of a block's graph is a trained tensor of an adapter. */
export const isAdapterTensor = (name: string): boolean =>
  Object.values(KINDS).some(({ blockInput }: Pick<AdapterDefinition<AdapterKind>, 'blockInput'>) =>
    blockInput?.test(name),
  );

/** A block together with what an adapter computes in it; layers with equal keys share their graphs. */
export interface LayerKind extends InBlock {
  readonly key: string;
  readonly block: BlockBlueprint;
}

/** The block of a layer with what the adapter computes in it; layers of one kind share their graphs. */
export function layerKind(
  blueprint: Blueprint,
  adapter: AdapterConfig | undefined,
  layer: number,
): LayerKind {
  const block = blockOf(blueprint, layer);
  const name = blueprint.layers[layer] ?? '';
  if (adapter === undefined) return { key: name, block, branches: {}, bottlenecks: {}, biases: [] };
  const placed = { block, layer, path: (within: string) => blockName(blueprint, layer, within) };
  const {
    branches = {},
    bottlenecks = {},
    biases = [],
  } = definitionOf(adapter).inBlock?.(adapter, placed) ?? {};
  const key = `${name} ${JSON.stringify([branches, bottlenecks, biases])}`;
  return { key, block, branches, bottlenecks, biases };
}

/** The kind of each layer. */
export const layerKinds = perAdapter(
  (model: ModelConfig, adapter: AdapterConfig | undefined): readonly LayerKind[] => {
    const blueprint = blueprintOf(model);
    return blueprint.layers.map((_, layer) => layerKind(blueprint, adapter, layer));
  },
);
