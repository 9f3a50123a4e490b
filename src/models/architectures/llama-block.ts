import { gradients } from '../../tensor/autodiff.js';
import { GraphBuilder } from '../../tensor/builder.js';
import type { ValueId } from '../../tensor/types.js';
import { accumulated, blockInputs } from './block-inputs.js';
import { linear } from './linear.js';
import { INPUT_NORM, llamaProjections, POST_NORM } from './llama-names.js';
import type { BlockGraph, BlockOptions } from './types.js';

export function llamaBlock(options: BlockOptions): BlockGraph {
  const { config, rows, length, lora, dropout, trainable } = options;
  const { hiddenSize: hidden, heads, keyValueHeads: groups, headDim: dim } = config;
  const tokens = rows * length;
  const b = new GraphBuilder('block');
  const { weight, declared } = blockInputs(b);
  const layer = { builder: b, lora, dropout, weight };
  const names = llamaProjections(config);
  const norm = (x: ValueId, name: string) => b.rmsNorm(x, weight(name, [hidden]), config.rmsEpsilon);

  const x = b.input('x', [tokens, hidden]);
  const angles = [rows, length, dim / 2];
  const [cos, sin] = [b.input('cos', angles), b.input('sin', angles)];
  const mask = b.input('mask', [1, 1, length, length]);

  /** `[tokens, heads·dim]` → `[rows, heads, length, dim]` */
  const split = (y: ValueId, count: number) =>
    b.transpose(b.reshape(y, [rows, length, count, dim]), [0, 2, 1, 3]);
  const turned = (y: ValueId, count: number) =>
    split(b.rotary(b.reshape(y, [rows, length, count * dim]), cos, sin, count), count);

  const normed = norm(x, INPUT_NORM);
  // the heads of a group share their keys: folded into the query rows, no key is ever repeated
  const folded = [rows * groups, (heads / groups) * length, dim];
  const queries = b.reshape(turned(linear(layer, names.q, normed), heads), folded);
  const keys = b.reshape(turned(linear(layer, names.k, normed), groups), [rows * groups, length, dim]);
  const values = b.reshape(split(linear(layer, names.v, normed), groups), [rows * groups, length, dim]);
  const scores = b.matmul(queries, keys, { transB: true, alpha: 1 / Math.sqrt(dim) });
  const masked = b.add(b.reshape(scores, [rows, heads, length, length]), mask);
  const attention = b.reshape(b.softmax(masked), [rows * groups, (heads / groups) * length, length]);
  const mixed = b.reshape(b.matmul(attention, values), [rows, heads, length, dim]);
  const context = b.reshape(b.transpose(mixed, [0, 2, 1, 3]), [tokens, heads * dim]);
  const middle = b.add(x, linear(layer, names.o, context));

  const normedMiddle = norm(middle, POST_NORM);
  const gate = linear(layer, names.gate, normedMiddle);
  const up = linear(layer, names.up, normedMiddle);
  const y = b.add(middle, linear(layer, names.down, b.mul(b.silu(gate), up)));
  b.output('y', y);

  if (trainable !== 'none') {
    const dy = b.input('dy', [tokens, hidden]);
    const trained = [...declared].filter(([name]) => trainable === 'full' || name.includes('.lora_'));
    const found = gradients(b, [{ value: y, gradient: dy }], [x, ...trained.map(([, value]) => value)]);
    trained.forEach(([name], index) => {
      const gradient = found[index + 1];
      if (gradient !== undefined) accumulated(b, name, gradient);
    });
    if (found[0] !== undefined) b.output('dx', found[0]);
  }

  const kept = { queries, keys, values, context, middle, gate, up };
  return {
    joint: b.build(),
    kept: Object.entries(kept).map(([name, value]) => ({ name: `kept.${name}`, value })),
    cache: [
      { name: 'keys', value: keys },
      { name: 'values', value: values },
    ],
  };
}
