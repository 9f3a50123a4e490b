/** Cross entropy of classes, with its gradient in closed form: two passes over the logits fewer than by rule. */
import type { GraphBuilder } from '../../../tensor/builder.js';
import type { ValueId } from '../../../tensor/types.js';

interface CrossEntropy {
  /** `[n]`, in nats. */
  readonly loss: ValueId;
  /**
   * Gradient of the logits, softmax∘seed − seed at the label, for an upstream gradient `[n]` of the losses.
   * Where the seed is 0 the row is exactly 0: a row without a label needs no division and gives no NaN.
   */
  readonly gradient: (seed: ValueId) => ValueId;
}

/** logits `[n, classes]`, labels i32 `[n]`. */
export function crossEntropy(b: GraphBuilder, logits: ValueId, labels: ValueId): CrossEntropy {
  const rows = b.shapeOf(labels);
  const column = [...rows, 1];
  const indices = b.reshape(labels, column);
  const logProbabilities = b.logSoftmax(logits);
  return {
    loss: b.neg(b.reshape(b.gatherElements(logProbabilities, indices, 1), rows)),
    gradient(seed) {
      const upstream = b.reshape(seed, column);
      const spread = b.mul(b.exp(logProbabilities), upstream);
      return b.scatterElements(spread, indices, b.neg(upstream), 1);
    },
  };
}
