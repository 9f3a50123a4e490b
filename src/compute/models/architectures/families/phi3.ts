/** Phi-3 and Phi-4-mini (arXiv 2404.14219), as transformers' `modeling_phi3.py`: Llama with fused projections. */
import { PLAIN } from '../../config/rope.js';
import { COMMON, readWindow, writeShape } from '../../config/shape.js';
import {
  type Family,
  frame,
  fullAndSliding,
  gatedMlp,
  projection,
  readLlamaShape,
  separateAttention,
} from './building-blocks.js';

/** Files of before transformers 4.43 call the long kind by other names. */
const ROPE = { ...PLAIN, partial: true, aliases: { su: 'longrope', yarn: 'longrope' } };

export const phi3: Family = {
  modelType: 'phi3',
  className: 'Phi3ForCausalLM',
  classifierName: 'Phi3ForSequenceClassification',
  read(config) {
    const shape = readLlamaShape(config, { ...COMMON, epsilonDefault: 1e-5 }, ROPE);
    return { architecture: 'phi3', ...shape, ...readWindow(config, shape.layers) };
  },
  blueprint(config) {
    const { hiddenSize: hidden, intermediateSize: inner, heads, keyValueHeads, headDim } = config;
    const attention = {
      ...separateAttention(config),
      inputs: {
        kind: 'fused' as const,
        order: 'parts' as const,
        all: projection('self_attn.qkv_proj', (heads + 2 * keyValueHeads) * headDim, hidden),
      },
    };
    const mlp = {
      ...gatedMlp(config),
      up: { kind: 'fused' as const, both: projection('mlp.gate_up_proj', 2 * inner, hidden) },
    };
    return { ...frame(config), ...fullAndSliding(config, attention, mlp) };
  },
  write: (config) => ({
    ...writeShape(config),
    hidden_act: 'silu',
    original_max_position_embeddings:
      config.ropeScaling?.type === 'longrope' ? config.ropeScaling.originalPositions : config.maxPositions,
    partial_rotary_factor: config.ropeShare ?? 1,
    sliding_window: config.window ?? null,
  }),
};
