/** Names and sizes of the linear layers and norms of a Llama block. */
import type { ModelConfig } from '../types.js';
import type { Projection } from './types.js';

export const INPUT_NORM = 'input_layernorm.weight';
export const POST_NORM = 'post_attention_layernorm.weight';

export interface Projections {
  readonly q: Projection;
  readonly k: Projection;
  readonly v: Projection;
  readonly o: Projection;
  readonly gate: Projection;
  readonly up: Projection;
  readonly down: Projection;
}

export function llamaProjections(config: ModelConfig): Projections {
  const { hiddenSize: hidden, intermediateSize: inner, heads, keyValueHeads, headDim } = config;
  const projection = (path: string, outputs: number, inputs: number): Projection => ({
    target: path.slice(path.indexOf('.') + 1),
    module: path,
    outputs,
    inputs,
  });
  return {
    q: projection('self_attn.q_proj', heads * headDim, hidden),
    k: projection('self_attn.k_proj', keyValueHeads * headDim, hidden),
    v: projection('self_attn.v_proj', keyValueHeads * headDim, hidden),
    o: projection('self_attn.o_proj', hidden, heads * headDim),
    gate: projection('mlp.gate_proj', inner, hidden),
    up: projection('mlp.up_proj', inner, hidden),
    down: projection('mlp.down_proj', hidden, inner),
  };
}
