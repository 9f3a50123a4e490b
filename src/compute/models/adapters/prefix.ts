/**
 * Prefix tuning (Li & Liang 2021, arXiv 2101.00190): keys and values of virtual tokens, trained in every layer, that each
 * text attends to. A text's own positions begin behind them.
 */
import type { NamedShape } from '../architectures/index.js';
import { fillNormal, fillUniform } from '../random.js';
import type { Adapter, LoraConfig, ModelConfig, PrefixShape } from '../types.js';

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

export const hasProjection = (lora: LoraConfig): boolean => lora.prefix?.projection !== undefined;

/** `[virtual tokens, layers·2·keyValueHeads·dim]`; with a projection `[virtual tokens, keyValueHeads·dim]` and its layers. */
export function prefixShapes(config: ModelConfig, lora: LoraConfig | undefined): readonly NamedShape[] {
  if (lora?.prefix === undefined) return [];
  const { tokens, projection: units } = lora.prefix;
  const [inner, width] = [laneWidth(config), prefixWidth(config)];
  if (units === undefined) return [{ name: PREFIX_EMBEDDING, shape: [tokens, width] }];
  return [
    { name: PREFIX_EMBEDDING, shape: [tokens, inner] },
    { name: PREFIX_HIDDEN.weight, shape: [units, inner] },
    { name: PREFIX_HIDDEN.bias, shape: [units] },
    { name: PREFIX_OUT.weight, shape: [width, units] },
    { name: PREFIX_OUT.bias, shape: [width] },
  ];
}

/** A config with this prefix, and no low-rank factors. */
export const prefixConfig = (prefix: PrefixShape): LoraConfig => ({
  rank: 0,
  alpha: 0,
  dropout: 0,
  targets: [],
  prefix,
});

/** How the keys and values begin, as in PEFT: from random numbers, or all zero. */
export type PrefixInit = 'random' | 'zero';

/**
 * A fresh prefix as PEFT makes it: the embedding normal with a deviation of 1, the layers of a projection from
 * U(−1/√in, 1/√in); under `zero` what the keys and values are read from is 0.
 */
export function initPrefix(model: ModelConfig, config: LoraConfig, seed: number, init: PrefixInit): Adapter {
  const zeros: readonly string[] =
    init === 'random'
      ? []
      : hasProjection(config)
        ? [PREFIX_OUT.weight, PREFIX_OUT.bias]
        : [PREFIX_EMBEDDING];
  const inputs = {
    [PREFIX_HIDDEN.bias]: laneWidth(model),
    [PREFIX_OUT.bias]: config.prefix?.projection ?? 1,
  };
  const tensors = prefixShapes(model, config).map(({ name, shape }) => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    const bound = 1 / Math.sqrt(inputs[name] ?? shape[1] ?? 1);
    if (zeros.includes(name)) data.fill(0);
    else if (name === PREFIX_EMBEDDING) fillNormal(data, seed, name, 1);
    else fillUniform(data, seed, name, -bound, bound);
    return [name, { shape, data }] as const;
  });
  return { config, tensors: new Map(tensors) };
}
