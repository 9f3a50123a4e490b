import { gradients } from '../../tensor/autodiff.js';
import { GraphBuilder } from '../../tensor/builder.js';
import type { Graph } from '../../tensor/types.js';
import { accumulated } from './block-inputs.js';
import { crossEntropy } from './cross-entropy.js';
import type { HeadOptions } from './types.js';

export function llamaHead({ config, tokens, trainable }: HeadOptions): Graph {
  const b = new GraphBuilder('head');
  const x = b.input('x', [tokens, config.hiddenSize]);
  const norm = b.input('norm', [config.hiddenSize]);
  const output = b.input('output', [config.vocabSize, config.hiddenSize]);
  const labels = b.input('labels', [tokens], 'i32');
  const normed = b.rmsNorm(x, norm, config.rmsEpsilon);
  const logits = b.matmul(normed, output, { transB: true });
  const { loss, gradient } = crossEntropy(b, logits, labels);
  b.output('logits', logits);
  b.output('loss', loss);
  if (trainable === 'none') return b.build();

  const seed = b.input('seed', [tokens]);
  const wanted = trainable === 'full' ? [x, norm, output] : [x];
  const [dx, dNorm, dOutput] = gradients(b, [{ value: logits, gradient: gradient(seed) }], wanted);
  if (dOutput !== undefined) accumulated(b, 'output', dOutput);
  if (dNorm !== undefined) accumulated(b, 'norm', dNorm);
  if (dx !== undefined) b.output('dx', dx);
  return b.build();
}
