/** Mistral (Jiang et al. 2023, arXiv 2310.06825), as transformers' `modeling_mistral.py`: Llama with a sliding window. */
import { readWindow, writeShape } from '../../config/shape.js';
import { type Family, readLlamaShape } from './building-blocks.js';
import { llama } from './llama.js';

export const mistral: Family = {
  modelType: 'mistral',
  className: 'MistralForCausalLM',
  classifierName: 'MistralForSequenceClassification',
  read(config) {
    const shape = readLlamaShape(config);
    return { architecture: 'mistral', ...shape, ...readWindow(config, shape.layers) };
  },
  blueprint: llama.blueprint,
  write: (config) => ({
    ...writeShape(config),
    hidden_act: 'silu',
    sliding_window: config.window ?? null,
  }),
};
