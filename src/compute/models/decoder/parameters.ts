/** The trainable tensors of a decoder and the gradients that add up next to them. */

import { discardedYoung } from '../../tensor/garbage.js';
import { f32, sizeOf } from '../../tensor/shape.js';
import type { HostTensor, Memory, Tensor } from '../../tensor/types.js';
import { isTrained } from '../adapters/branches.js';
import type { DecoderOptions, DeviceParameters } from './types.js';

interface Parameter {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface Parameters {
  readonly values: ReadonlyMap<string, Parameter>;
  /** Of a device, there are none until they are collected. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
  /** As graph inputs and outputs, in the memory of the runtime; the same object each time. */
  readonly valueTensors: ReadonlyMap<string, Tensor>;
  readonly gradientTensors: ReadonlyMap<string, Tensor>;
  /** Values were changed on the host: the next run reads them. */
  changed(): void;
  /** Hands changed values to the device. */
  publish(): void;
  /** Brings `gradients` up to date. */
  collect(): Promise<void>;
  /** Of a memory that is not the host's. */
  readonly onDevice?: DeviceParameters;
  zeroGradients(): void;
  release(): void;
}

export type HostFloats = HostTensor & { readonly data: Float32Array };

export const floatTensor = (shape: readonly number[], data: Float32Array): HostFloats => ({
  type: f32(shape),
  data,
});

export const zeros = (shape: readonly number[]): HostFloats =>
  floatTensor(shape, new Float32Array(sizeOf(shape)));

/** `names` are the weights that full training copies to float32. */
export function createParameters(options: DecoderOptions, names: readonly string[]): Parameters {
  const { memory } = options.runtime;
  const values = valuesOf(options, names);
  const tensors = (placed: (name: string, parameter: Parameter) => Tensor) =>
    new Map([...values].map(([name, parameter]) => [name, placed(name, parameter)]));
  const valueTensors = tensors((_, { shape, data }) => {
    if (memory.isHost) return floatTensor(shape, data);
    const place = memory.buffer().tensor(f32(shape));
    memory.write([place], (written) => (written as Float32Array).set(data));
    return place;
  });
  const gradients = new Map(
    memory.isHost ? [...values].map(([name, { data }]) => [name, new Float32Array(data.length)]) : [],
  );
  const gradientTensors = tensors((name, { shape }) => {
    const own = gradients.get(name);
    if (own !== undefined) return floatTensor(shape, own);
    const place = memory.buffer().tensor(f32(shape));
    memory.zero(place);
    return place;
  });
  return {
    values,
    gradients,
    valueTensors,
    gradientTensors,
    ...(memory.isHost ? SHARED : crossing(memory, { values, gradients, valueTensors, gradientTensors })),
    zeroGradients() {
      for (const tensor of gradientTensors.values()) memory.zero(tensor);
    },
    release() {
      for (const tensor of [...valueTensors.values(), ...gradientTensors.values()]) memory.free(tensor);
    },
  };
}

function valuesOf(options: DecoderOptions, names: readonly string[]): ReadonlyMap<string, Parameter> {
  const values = new Map<string, Parameter>();
  if (options.trainable === 'adapter')
    for (const [name, { shape, data }] of options.adapter?.tensors ?? [])
      if (isTrained(name)) values.set(name, { shape, data });
  if (options.trainable === 'full')
    for (const name of names) {
      const stored = options.weights.get(name);
      const data = new Float32Array(sizeOf(stored.shape));
      stored.dequantise(data);
      values.set(name, { shape: stored.shape, data });
    }
  return values;
}

type DeviceTransfers = Pick<Parameters, 'changed' | 'publish' | 'collect' | 'onDevice'>;

/** The graphs read and write the same arrays. */
const SHARED: DeviceTransfers = { changed() {}, publish() {}, async collect() {} };

function crossing(
  memory: Memory,
  parts: Pick<Parameters, 'values' | 'valueTensors' | 'gradientTensors'> & {
    readonly gradients: Map<string, Float32Array>;
  },
): DeviceTransfers {
  /** Where the values are newer than on the other side. */
  let newer: 'nowhere' | 'host' | 'device' = 'nowhere';
  const publish = (): void => {
    if (newer !== 'host') return;
    for (const [name, tensor] of parts.valueTensors)
      memory.write([tensor], (data) => (data as Float32Array).set(parts.values.get(name)?.data ?? []));
    newer = 'nowhere';
  };
  const bring = async (tensor: Tensor, data: Float32Array): Promise<void> => {
    data.set((await memory.read(tensor)).data as Float32Array);
    discardedYoung(data.byteLength);
  };
  return {
    changed() {
      newer = 'host';
    },
    publish,
    async collect() {
      for (const [name, tensor] of parts.gradientTensors) {
        const own = parts.gradients.get(name) ?? new Float32Array(sizeOf(tensor.type.shape));
        parts.gradients.set(name, own);
        await bring(tensor, own);
      }
    },
    onDevice: {
      values: parts.valueTensors,
      gradients: parts.gradientTensors,
      publish,
      changed() {
        newer = 'device';
      },
      async collect() {
        if (newer !== 'device') return;
        for (const [name, { data }] of parts.values) {
          const tensor = parts.valueTensors.get(name);
          if (tensor !== undefined) await bring(tensor, data);
        }
        newer = 'nowhere';
      },
    },
  };
}
