/**
 * Llama (Touvron et al. 2023, arXiv 2302.13971) with grouped queries, as transformers' `modeling_llama.py`:
 * pre-norm blocks of rotary attention and SwiGLU.
 */
import type { ModelConfig } from '../types.js';
import { weightName } from './linear.js';
import { llamaBlock } from './llama-block.js';
import { llamaHead } from './llama-head.js';
import { INPUT_NORM, llamaProjections, POST_NORM } from './llama-names.js';
import { llamaStep } from './llama-step.js';
import type { Architecture, NamedShape, Projection } from './types.js';

const projectionsOf = (config: ModelConfig): readonly Projection[] => Object.values(llamaProjections(config));

const embedding = (config: ModelConfig): NamedShape => ({
  name: 'model.embed_tokens.weight',
  shape: [config.vocabSize, config.hiddenSize],
});

export const llama: Architecture = {
  projections: projectionsOf,
  blockWeights: (config) => [
    { name: INPUT_NORM, shape: [config.hiddenSize] },
    { name: POST_NORM, shape: [config.hiddenSize] },
    ...projectionsOf(config).map((projection) => ({
      name: weightName(projection),
      shape: [projection.outputs, projection.inputs],
    })),
  ],
  blockName: (layer, name) => `model.layers.${layer}.${name}`,
  embedding,
  finalNorm: (config) => ({ name: 'model.norm.weight', shape: [config.hiddenSize] }),
  output: (config) =>
    config.tieEmbeddings ? embedding(config) : { name: 'lm_head.weight', shape: embedding(config).shape },
  block: llamaBlock,
  head: llamaHead,
  step: llamaStep,
};
