/** Qwen3 (arXiv 2505.09388), as transformers' `modeling_qwen3.py`: every head of the queries and keys is normalised. */

import { type Family, frame, fullAndSliding, gatedMlp, rms, separateAttention } from './building-blocks.js';
import { qwen2, readQwen } from './qwen2.js';

export const qwen3: Family = {
  modelType: 'qwen3',
  className: 'Qwen3ForCausalLM',
  classifierName: 'Qwen3ForSequenceClassification',
  read(config) {
    const bias = config.flag('attention_bias');
    return {
      architecture: 'qwen3',
      ...readQwen(config),
      ...(bias ? { biases: { attention: true, output: true, mlp: false } } : {}),
    };
  },
  blueprint(config) {
    const headNorms = {
      q: rms('self_attn.q_norm', config.normEpsilon),
      k: rms('self_attn.k_norm', config.normEpsilon),
    };
    const attention = { ...separateAttention(config), headNorms };
    return { ...frame(config), ...fullAndSliding(config, attention, gatedMlp(config)) };
  },
  write: (config) => ({ ...qwen2.write(config), attention_bias: config.biases?.attention ?? false }),
};
