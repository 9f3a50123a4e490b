/** Qwen2 and Qwen2.5 (arXiv 2407.10671), as transformers' `modeling_qwen2.py`: Llama with biases of queries, keys and values. */
import type { ConfigReader } from '../../config/reader.js';
import { readWindow, writeLayerTypes, writeShape } from '../../config/shape.js';
import type { ModelConfig } from '../../types.js';
import { type Family, readLlamaShape } from './building-blocks.js';
import { llama } from './llama.js';

/** What Qwen 2 and 3 say in the same fields. */
export function readQwen(config: ConfigReader): Omit<ModelConfig, 'architecture'> {
  const shape = readLlamaShape(config);
  const slides = config.flag('use_sliding_window');
  const first = config.json['max_window_layers'] ?? 28;
  const from = typeof first === 'number' ? first : config.wrong('max_window_layers', 'a number');
  return { ...shape, ...(slides ? readWindow(config, shape.layers, (layer) => layer >= from) : {}) };
}

export const qwen2: Family = {
  modelType: 'qwen2',
  className: 'Qwen2ForCausalLM',
  classifierName: 'Qwen2ForSequenceClassification',
  read: (config) => ({
    architecture: 'qwen2',
    ...readQwen(config),
    biases: { attention: true, output: false, mlp: false },
  }),
  blueprint: llama.blueprint,
  write: (config) => ({
    ...writeShape(config),
    ...writeLayerTypes(config),
    hidden_act: 'silu',
    sliding_window: config.window ?? null,
    use_sliding_window: config.window !== undefined,
  }),
};
