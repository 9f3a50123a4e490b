/** The trainable tensors of a decoder and the gradients that add up beside them. */
import type { HostTensor } from '../../tensor/types.js';
import { isTrained } from '../adapters/layout.js';
import type { DecoderOptions } from './types.js';

export interface Parameter {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface Parameters {
  readonly values: ReadonlyMap<string, Parameter>;
  readonly gradients: ReadonlyMap<string, Float32Array>;
  /** As graph inputs and outputs; the same object each time. */
  readonly valueTensors: ReadonlyMap<string, HostTensor>;
  readonly gradientTensors: ReadonlyMap<string, HostTensor>;
}

export const floatTensor = (shape: readonly number[], data: Float32Array): HostTensor => ({
  type: { dtype: 'f32', shape },
  data,
});

/** `names` are the weights that full training copies to float32. */
export function createParameters(options: DecoderOptions, names: readonly string[]): Parameters {
  const values = new Map<string, Parameter>();
  if (options.trainable === 'adapter')
    for (const [name, { shape, data }] of options.adapter?.tensors ?? [])
      if (isTrained(name)) values.set(name, { shape, data });
  if (options.trainable === 'full')
    for (const name of names) {
      const stored = options.weights.get(name);
      const data = new Float32Array(stored.shape.reduce((product, size) => product * size, 1));
      stored.decode(data);
      values.set(name, { shape: stored.shape, data });
    }
  const gradients = new Map([...values].map(([name, { data }]) => [name, new Float32Array(data.length)]));
  const tensors = (dataOf: (name: string) => Float32Array | undefined) =>
    new Map([...values].map(([name, { shape, data }]) => [name, floatTensor(shape, dataOf(name) ?? data)]));
  return {
    values,
    gradients,
    valueTensors: tensors(() => undefined),
    gradientTensors: tensors((name) => gradients.get(name)),
  };
}
