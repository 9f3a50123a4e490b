/** Prefix tuning's keys and values from what is trained, as PEFT's `PrefixEncoder` computes them. */
import { GraphBuilder } from '../../../tensor/builder.js';
import type { Graph } from '../../../tensor/types.js';
import { restrict } from '../../../tensor/uses.js';
import type { PrefixConfig } from '../../adapters/config.js';
import { PREFIX_EMBEDDING, PREFIX_HIDDEN, PREFIX_OUT, prefix } from '../../adapters/prefix.js';
import type { ModelConfig } from '../../types.js';
import { addGradients } from './inputs.js';

export interface PrefixGraphs {
  /** From the trained tensors: `flat` `[tokens, layers·2·keyValueHeads·dim]`, as PEFT saves them. */
  readonly flat: Graph;
  /** From the trained tensors: `states` `[layers·2, keyValueHeads, tokens, dim]`, keys and values of each layer in turn. */
  readonly forward: Graph;
  /** From the trained tensors, `dstates` and `total.NAME`: `grad.NAME` = `total.NAME` + gradient. */
  readonly backward: Graph;
}

export function prefixGraphs(config: ModelConfig, adapter: PrefixConfig): PrefixGraphs {
  const { layers, keyValueHeads, headDim } = config;
  const { tokens, projection } = adapter;
  const b = new GraphBuilder('prefix');
  const trained = new Map(
    prefix.shapes(config, adapter).map(({ name, shape }) => [name, b.input(name, shape)] as const),
  );
  const value = (name: string) => trained.get(name) ?? b.scalar(0);
  const layer = (x: number, { weight, bias }: { readonly weight: string; readonly bias: string }) =>
    b.add(b.matmul(x, value(weight), { transB: true }), value(bias));
  const embedded = value(PREFIX_EMBEDDING);
  const flat =
    projection === undefined ? embedded : layer(b.tanh(layer(embedded, PREFIX_HIDDEN)), PREFIX_OUT);
  const apart = b.reshape(flat, [tokens, 2 * layers, keyValueHeads, headDim]);
  const states = b.transpose(apart, [1, 2, 0, 3]);
  const dstates = b.input('dstates', b.shapeOf(states));
  addGradients(b, { value: states, gradient: dstates }, [...trained]);
  const joint = b.build();
  return {
    flat: restrict(joint, [{ name: 'flat', value: flat }]),
    forward: restrict(joint, [{ name: 'states', value: states }]),
    backward: restrict(joint),
  };
}
