/**
 * Llama 2, 3 and 3.x (Touvron et al. 2023, arXiv 2302.13971), SmolLM2 and others of its shape, as transformers'
 * `modeling_llama.py`: pre-norm blocks of rotary attention with grouped queries, and SwiGLU.
 */
import { readRope } from '../../config/rope.js';
import { readShape } from '../../config/shape.js';
import { frame, fullAndSliding, gatedMlp, separateAttention } from './building-blocks.js';
import type { Family } from './family.js';
import { writeShape } from './write.js';

export const llama: Family = {
  modelType: 'llama',
  className: 'LlamaForCausalLM',
  classifierName: 'LlamaForSequenceClassification',
  read(config) {
    const shape = readShape(config);
    config.only('hidden_act', ['silu']);
    const bias = config.flag('attention_bias');
    const mlp = config.flag('mlp_bias');
    const rope = readRope(config, shape.headDim / 2);
    return {
      architecture: 'llama',
      ...shape,
      intermediateSize: config.whole('intermediate_size'),
      ropeTheta: rope.theta,
      ...(rope.scaling === undefined ? {} : { ropeScaling: rope.scaling }),
      ...(bias || mlp ? { biases: { attention: bias, output: bias, mlp } } : {}),
    };
  },
  blueprint: (config) => ({
    ...frame(config),
    ...fullAndSliding(config, separateAttention(config), gatedMlp(config)),
  }),
  write: (config) => ({
    ...writeShape(config),
    attention_bias: config.biases?.attention ?? false,
    hidden_act: 'silu',
    mlp_bias: config.biases?.mlp ?? false,
  }),
};
