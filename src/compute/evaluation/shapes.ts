/** What an evaluation computes at a time: the planner measures these shapes, and the stage runs them. */
export const EVALUATION_SHAPES = {
  /** Tokens of a micro batch of losses, padding included. */
  batchTokens: 512,
  /** Tokens whose logits exist at the same time. */
  logitsChunk: 128,
  /** Bytes of keys and values of a batch of answers. */
  cacheBytes: 128 * 2 ** 20,
} as const;
