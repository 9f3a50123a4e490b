/** Low-rank factors over the embedding, as PEFT computes them (`lora.layer.Embedding`). */
import { GraphBuilder } from '../../../tensor/builder.js';
import type { Graph, ValueId } from '../../../tensor/types.js';

interface EmbeddingFactorShape {
  readonly tokens: number;
  readonly hidden: number;
  readonly vocabulary: number;
  readonly rank: number;
  /** alpha ÷ rank, times what the embedding itself is multiplied by. */
  readonly scale: number;
  /** The columns of A are gathered by the graph; otherwise they come as the rows of `low` `[tokens, rank]`. */
  readonly gathers: boolean;
}

/**
 * y = x + scale·low·Bᵀ, where low are the columns of A `[rank, vocabulary]` of the tokens, and the gradients of both factors.
 * Forward: `x` `[tokens, hidden]`, `up` `[hidden, rank]`, and `low`, or `down` and `ids` i32 `[tokens]` → `y`. Backward: `dy`
 * in the place of `x`, and `total.up` → `grad.up`, and `dlow` `[tokens, rank]`; where the graph gathers, `counts` `[tokens, 1]`
 * (0 for a token whose column is frozen) and `total.down` → `grad.down` instead.
 */
export function embeddingFactorGraphs(shape: EmbeddingFactorShape): {
  readonly forward: Graph;
  readonly backward: Graph;
} {
  return { forward: forwardGraph(shape), backward: backwardGraph(shape) };
}

function inputs(b: GraphBuilder, { tokens, hidden, vocabulary, rank, gathers }: EmbeddingFactorShape) {
  const up = b.input('up', [hidden, rank]);
  if (!gathers) return { up, low: b.input('low', [tokens, rank]) };
  const ids = b.input('ids', [tokens], 'i32');
  const columns = b.transpose(b.input('down', [rank, vocabulary]), [1, 0]);
  return { up, ids, low: b.gather(columns, ids) };
}

function forwardGraph(shape: EmbeddingFactorShape): Graph {
  const b = new GraphBuilder('embedding_factors');
  const x = b.input('x', [shape.tokens, shape.hidden]);
  const { up, low } = inputs(b, shape);
  b.output('y', b.add(x, b.matmul(low, up, { transB: true, alpha: shape.scale })));
  return b.build();
}

function backwardGraph(shape: EmbeddingFactorShape): Graph {
  const { tokens, hidden, vocabulary, rank, scale } = shape;
  const b = new GraphBuilder('embedding_factors_backward');
  const dy = b.input('dy', [tokens, hidden]);
  const { up, low, ids } = inputs(b, shape);
  const added = (name: string, of: readonly number[], gradient: ValueId) => {
    b.output(`grad.${name}`, b.add(b.input(`total.${name}`, of), gradient));
  };
  added('up', [hidden, rank], b.matmul(dy, low, { transA: true, alpha: scale }));
  const dlow = b.matmul(dy, up, { alpha: scale });
  if (ids === undefined) b.output('dlow', dlow);
  else {
    const counted = b.mul(dlow, b.input('counts', [tokens, 1]));
    added('down', [rank, vocabulary], b.transpose(b.scatterRows(ids, counted, vocabulary), [1, 0]));
  }
  return b.build();
}
