import type { ModelConfig } from '../types.js';

/** Short names of the seven projections of a block, in the order in which a block uses them. */
export const PROJECTIONS = [
  'q_proj',
  'k_proj',
  'v_proj',
  'o_proj',
  'gate_proj',
  'up_proj',
  'down_proj',
] as const;
export type Projection = (typeof PROJECTIONS)[number];

export function isProjection(name: string): name is Projection {
  return (PROJECTIONS as readonly string[]).includes(name);
}

const ATTENTION = new Set<Projection>(['q_proj', 'k_proj', 'v_proj', 'o_proj']);

/** `model.layers.0.self_attn.q_proj`: the path of the linear layer without `.weight`. */
export function projectionPath(layer: number, projection: Projection): string {
  return `model.layers.${layer}.${ATTENTION.has(projection) ? 'self_attn' : 'mlp'}.${projection}`;
}

/** `[out, in]` of a projection's weight. */
export function projectionShape(config: ModelConfig, projection: Projection): readonly [number, number] {
  const { hiddenSize, intermediateSize, headDim } = config;
  const query = config.heads * headDim;
  const keyValue = config.keyValueHeads * headDim;
  const shapes: Readonly<Record<Projection, readonly [number, number]>> = {
    q_proj: [query, hiddenSize],
    k_proj: [keyValue, hiddenSize],
    v_proj: [keyValue, hiddenSize],
    o_proj: [hiddenSize, query],
    gate_proj: [intermediateSize, hiddenSize],
    up_proj: [intermediateSize, hiddenSize],
    down_proj: [hiddenSize, intermediateSize],
  };
  return shapes[projection];
}

export interface ExpectedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** What the tensor does, which decides how it is initialised and whether NF4 storage quantises it. */
  readonly role: 'embedding' | 'projection' | 'norm' | 'head';
}

/** Every tensor that a Llama decoder needs, in the order of its layers (transformers, `modeling_llama.py`). */
export function expectedTensors(config: ModelConfig): readonly ExpectedTensor[] {
  const { vocabSize, hiddenSize } = config;
  const tensors: ExpectedTensor[] = [
    { name: 'model.embed_tokens.weight', shape: [vocabSize, hiddenSize], role: 'embedding' },
  ];
  for (let layer = 0; layer < config.layers; layer++) {
    for (const norm of ['input_layernorm', 'post_attention_layernorm']) {
      tensors.push({ name: `model.layers.${layer}.${norm}.weight`, shape: [hiddenSize], role: 'norm' });
    }
    for (const projection of PROJECTIONS) {
      const name = `${projectionPath(layer, projection)}.weight`;
      tensors.push({ name, shape: projectionShape(config, projection), role: 'projection' });
    }
  }
  tensors.push({ name: 'model.norm.weight', shape: [hiddenSize], role: 'norm' });
  if (!config.tieEmbeddings) {
    tensors.push({ name: 'lm_head.weight', shape: [vocabSize, hiddenSize], role: 'head' });
  }
  return tensors;
}
