/** Mistral (Jiang et al. 2023, arXiv 2310.06825), as transformers' `modeling_mistral.py`: Llama with a sliding window. */
import { readRope } from '../../config/rope.js';
import { readShape } from '../../config/shape.js';
import type { Family } from './family.js';
import { llama } from './llama.js';
import { writeShape } from './write.js';

export const mistral: Family = {
  modelType: 'mistral',
  className: 'MistralForCausalLM',
  classifierName: 'MistralForSequenceClassification',
  read(config) {
    const shape = readShape(config);
    config.only('hidden_act', ['silu']);
    const rope = readRope(config, shape.headDim / 2);
    const window = config.has('sliding_window') ? config.whole('sliding_window') : undefined;
    return {
      architecture: 'mistral',
      ...shape,
      intermediateSize: config.whole('intermediate_size'),
      ropeTheta: rope.theta,
      ...(rope.scaling === undefined ? {} : { ropeScaling: rope.scaling }),
      ...(window === undefined
        ? {}
        : { window, layerTypes: Array.from({ length: shape.layers }, () => 'sliding' as const) }),
    };
  },
  blueprint: llama.blueprint,
  write: (config) => ({
    ...writeShape(config),
    hidden_act: 'silu',
    sliding_window: config.window ?? null,
  }),
};
