import { GraphBuilder } from '../../tensor/builder.js';
import type { Graph, ValueId } from '../../tensor/types.js';
import { blockInputs } from './block-inputs.js';
import { linear } from './linear.js';
import { INPUT_NORM, llamaProjections, POST_NORM } from './llama-names.js';
import type { StepOptions } from './types.js';

export function llamaStep({ config, rows, capacity, lora }: StepOptions): Graph {
  const { hiddenSize: hidden, heads, keyValueHeads: groups, headDim: dim } = config;
  const b = new GraphBuilder('step');
  const { weight } = blockInputs(b);
  const layer = { builder: b, lora, dropout: false, weight };
  const names = llamaProjections(config);
  const norm = (x: ValueId, name: string) => b.rmsNorm(x, weight(name, [hidden]), config.rmsEpsilon);

  const x = b.input('x', [rows, hidden]);
  const [cos, sin] = [b.input('cos', [rows, 1, dim / 2]), b.input('sin', [rows, 1, dim / 2])];
  const cache = [rows * groups, capacity, dim];
  const [pastKeys, pastValues] = [b.input('keys', cache), b.input('values', cache)];
  const mask = b.input('mask', [rows, 1, 1, capacity]);
  const turned = (y: ValueId, count: number) =>
    b.rotary(b.reshape(y, [rows, 1, count * dim]), cos, sin, count);

  const normed = norm(x, INPUT_NORM);
  const share = heads / groups;
  const query = b.reshape(turned(linear(layer, names.q, normed), heads), [rows * groups, share, dim]);
  const key = b.reshape(turned(linear(layer, names.k, normed), groups), [rows * groups, 1, dim]);
  const value = b.reshape(linear(layer, names.v, normed), [rows * groups, 1, dim]);
  const alpha = 1 / Math.sqrt(dim);
  const past = b.reshape(b.matmul(query, pastKeys, { transB: true, alpha }), [rows, groups, share, capacity]);
  const masked = b.reshape(b.add(past, mask), [rows * groups, share, capacity]);
  const own = b.matmul(query, key, { transB: true, alpha });
  const attention = b.softmax(b.concat([masked, own], -1));
  const fromPast = b.matmul(b.slice(attention, -1, 0, capacity), pastValues);
  const fromOwn = b.matmul(b.slice(attention, -1, capacity, capacity + 1), value);
  const context = b.reshape(b.add(fromPast, fromOwn), [rows, heads * dim]);
  const middle = b.add(x, linear(layer, names.o, context));

  const normedMiddle = norm(middle, POST_NORM);
  const activation = b.mul(
    b.silu(linear(layer, names.gate, normedMiddle)),
    linear(layer, names.up, normedMiddle),
  );
  b.output('y', b.add(middle, linear(layer, names.down, activation)));
  b.output('key', key);
  b.output('value', value);
  return b.build();
}
