/**
 * Bytes per logit of implementations of the loss, at the end of the forward pass and at the start of the backward pass: logits
 * as computed, their float32, what the softmax saves, and gradients of each. Counted on the CPU where torch 2.15 and transformers
 * 5.24 are meant; of earlier versions from their source and published figures.
 */
import type { TorchShape } from '../../../src/compute/accelerate/memory/shape.js';
import type { HeadCost } from '../../../src/compute/accelerate/memory/training.js';

export const HEADS = {
  /** Logits in bfloat16 and in float32, and their log-softmax. */
  'transformers>=4.50': { forward: 10, backward: 12 },
  /** … and a shifted copy next to logits that stay, and the states. */
  'transformers 4.46-4.49': { forward: 14, backward: 12, states: 6 },
  'transformers<=4.45': { forward: 12, backward: 12 },
  /** Logits of a float32 model are not copied. */
  'transformers float32': { forward: 8, backward: 12 },
  /** A loop that holds what the model returns has its logits until the next step. */
  'transformers>=4.50 kept': { forward: 10, backward: 14, kept: 2 },
  'transformers float32 kept': { forward: 8, backward: 16, kept: 4 },
  /** A loss of the loop's own, over a shifted copy, in the type of the logits. */
  'shifted copy': { forward: 6, backward: 6 },
  'shifted copy float32': { forward: 12, backward: 12 },
  /** Fused cross entropy in Triton (fms-acceleration): the gradient takes the place of the logits. */
  'foak 4.45': { forward: 8, backward: 8 },
  'foak 4.48': { forward: 10, backward: 10 },
  /** Fabric hands logits out in float32; the softmax of all chunks is saved. */
  litgpt: { forward: 8, backward: 8 },
  /** Shifted and transposed copies in float32. */
  'torchtune 2024-04': { forward: 20, backward: 20 },
  /** Eight chunks; logits and gradients in bfloat16, a chunk at a time in float32 but for its softmax. */
  'torchtune chunked': { forward: 6.5, backward: 8.5 },
  'qwen fp16': { forward: 9, backward: 9 },
  'bigcode autocast': { forward: 19, backward: 19 },
  'bigcode bfloat16': { forward: 8.5, backward: 8.5 },
  /** … without the log-softmax of each. */
  'bigcode autocast foak': { forward: 15, backward: 15 },
  'bigcode bfloat16 foak': { forward: 6.5, backward: 6.5 },
  /** Unsloth's kernel: logits and, in their place, gradients. */
  unsloth: { forward: 2, backward: 4 },
  'chunk of 1024': { forward: 10, backward: 12, chunk: 1024 },
  /** Cut cross entropy (arXiv 2411.09009): logits never exist in memory. */
  cut: { forward: 0, backward: 0, states: 8 },
  none: { forward: 0, backward: 0 },
} as const satisfies Readonly<Record<string, HeadCost>>;
export type HeadName = keyof typeof HEADS;

/**
 * Liger's fused linear cross entropy (arXiv 2410.10989) computes so many tokens at a time that their logits take about what the
 * states do: 2^⌈log2(T ÷ ⌈V ÷ H⌉)⌉.
 */
export function ligerHead({ vocabulary, hidden }: TorchShape, tokens: number): HeadCost {
  const parts = Math.ceil(vocabulary / hidden);
  return { forward: 8, backward: 8, chunk: 2 ** Math.ceil(Math.log2(Math.ceil(tokens / parts))) };
}
