/**
 * Llama 2, 3 and 3.x (Touvron et al. 2023, arXiv 2302.13971), SmolLM2 and others of its shape, as transformers'
 * `modeling_llama.py`: pre-norm blocks of rotary attention with grouped queries, and SwiGLU.
 */
import { writeShape } from '../../config/shape.js';
import {
  type Family,
  frame,
  fullAndSliding,
  gatedMlp,
  readLlamaShape,
  separateAttention,
} from './building-blocks.js';

export const llama: Family = {
  modelType: 'llama',
  className: 'LlamaForCausalLM',
  classifierName: 'LlamaForSequenceClassification',
  read(config) {
    const bias = config.flag('attention_bias');
    const mlp = config.flag('mlp_bias');
    return {
      architecture: 'llama',
      ...readLlamaShape(config),
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
