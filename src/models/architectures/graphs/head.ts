import { gradients } from '../../../tensor/autodiff.js';
import { GraphBuilder } from '../../../tensor/builder.js';
import type { Graph } from '../../../tensor/types.js';
import type { Blueprint } from '../blueprint.js';
import { capped } from './activation.js';
import { crossEntropy } from './cross-entropy.js';
import { accumulated, blockInputs } from './inputs.js';
import { normalise } from './norm.js';

export interface HeadOptions {
  readonly blueprint: Blueprint;
  /** Positions that go through the head at once. */
  readonly tokens: number;
  /** What of it is trained: nothing of its own under an adapter, the output matrix, or the norm as well. */
  readonly trainable: 'adapter' | 'output' | 'full' | 'none';
}

/** Name of the output matrix among the head's inputs; its norm's tensors have their own names. */
export const OUTPUT = 'output';

/**
 * Loss and its backward. Inputs: `x` `[tokens, hidden]`, the final norm's tensors by their full names, `output`,
 * `labels` i32 `[tokens]`, `seed` `[tokens]` (upstream gradient of each loss), `total.NAME` for each trained tensor.
 * Outputs: `loss` `[tokens]`, `logits` `[tokens, vocab]`, `dx`, `grad.NAME`.
 */
export function headGraph({ blueprint, tokens, trainable }: HeadOptions): Graph {
  const { norm, output, cap } = blueprint.head;
  const [vocab = 0, hidden = 0] = output.shape;
  const b = new GraphBuilder('head');
  const { weight, declared } = blockInputs(b);
  const x = b.input('x', [tokens, hidden]);
  const normed = normalise({ builder: b, weight }, norm, x);
  const logits = capped(b, b.matmul(normed, weight(OUTPUT, [vocab, hidden]), { transB: true }), cap);
  const labels = b.input('labels', [tokens], 'i32');
  const { loss, gradient } = crossEntropy(b, logits, labels);
  b.output('logits', logits);
  b.output('loss', loss);
  if (trainable === 'none') return b.build();

  const seed = b.input('seed', [tokens]);
  const trained = [...declared].filter(
    ([name]) => trainable === 'full' || (trainable === 'output' && name === OUTPUT),
  );
  const found = gradients(
    b,
    [{ value: logits, gradient: gradient(seed) }],
    [x, ...trained.map(([, value]) => value)],
  );
  trained.forEach(([name], index) => {
    const total = found[index + 1];
    if (total !== undefined) accumulated(b, name, total);
  });
  if (found[0] !== undefined) b.output('dx', found[0]);
  return b.build();
}
