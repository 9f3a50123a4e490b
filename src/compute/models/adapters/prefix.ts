/**
 * Prefix tuning (Li & Liang 2021, arXiv 2101.00190): keys and values of virtual tokens, trained in every layer, that each
 * text attends to. A text's own positions begin after them.
 */
import { sizeOf } from '../../tensor/shape.js';
import { fillNormal, fillUniform } from '../philox.js';
import type { ModelConfig } from '../types.js';
import type { AdapterConfig } from './config.js';
import { type AdapterDefinition, outerModule } from './definition.js';

/** The trained tensors, by the names that they have in PEFT's `PrefixEncoder`. */
export const PREFIX_EMBEDDING = 'prompt_encoder.embedding.weight';
const transform = (index: number) => ({
  weight: `prompt_encoder.transform.${index}.weight`,
  bias: `prompt_encoder.transform.${index}.bias`,
});
/** The two layers of a projection. */
export const PREFIX_HIDDEN = transform(0);
export const PREFIX_OUT = transform(2);

/** Numbers of one key, or value, over all heads. */
const laneWidth = ({ keyValueHeads, headDim }: Pick<ModelConfig, 'keyValueHeads' | 'headDim'>): number =>
  keyValueHeads * headDim;

/** Numbers of a virtual token's keys and values in all layers. */
const prefixWidth = (config: ModelConfig): number => 2 * config.layers * laneWidth(config);

/** Virtual tokens whose keys and values every text attends to. */
export const prefixTokens = (adapter: AdapterConfig | undefined): number =>
  adapter?.kind === 'prefix' ? adapter.tokens : 0;

export const prefix: AdapterDefinition<'prefix'> = {
  /** `[virtual tokens, layers·2·keyValueHeads·dim]`; with a projection `[virtual tokens, keyValueHeads·dim]` and its layers. */
  shapes(model, { tokens, projection: units }) {
    const [inner, width] = [laneWidth(model), prefixWidth(model)];
    if (units === undefined) return [{ name: PREFIX_EMBEDDING, shape: [tokens, width] }];
    return [
      { name: PREFIX_EMBEDDING, shape: [tokens, inner] },
      { name: PREFIX_HIDDEN.weight, shape: [units, inner] },
      { name: PREFIX_HIDDEN.bias, shape: [units] },
      { name: PREFIX_OUT.weight, shape: [width, units] },
      { name: PREFIX_OUT.bias, shape: [width] },
    ];
  },
  /**
   * As PEFT makes it: the embedding normal with a deviation of 1, the layers of a projection from U(−1/√in, 1/√in); under
   * `zero` what the keys and values are read from is 0.
   */
  init(model, adapter, { seed, init = 'random' }) {
    const { projection } = adapter;
    const last = projection === undefined ? [PREFIX_EMBEDDING] : [PREFIX_OUT.weight, PREFIX_OUT.bias];
    const zeros: readonly string[] = init === 'zero' ? last : [];
    const inputs = { [PREFIX_HIDDEN.bias]: laneWidth(model), [PREFIX_OUT.bias]: projection ?? 1 };
    const tensors = prefix.shapes(model, adapter).map(({ name, shape }) => {
      const data = new Float32Array(sizeOf(shape));
      const bound = 1 / Math.sqrt(inputs[name] ?? shape[1] ?? 1);
      if (name === PREFIX_EMBEDDING && !zeros.includes(name)) fillNormal(data, seed, name, 1);
      else if (!zeros.includes(name)) fillUniform(data, seed, name, -bound, bound);
      return [name, { shape, data }] as const;
    });
    return new Map(tensors);
  },
  virtualTokens: ({ tokens }) => tokens,
  blockInput: /^prefix\./,
  modules: (model, adapter) => prefix.shapes(model, adapter).map(outerModule),
};
