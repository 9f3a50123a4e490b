/** The trainable tensors of a decoder and the gradients that add up next to them. */
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
  const gradients = new Map([...values].map(([name, { data }]) => [name, new Float32Array(data.length)]));
  const tensors = (dataOf: (name: string) => Float32Array | undefined) =>
    new Map(
      [...values].map(([name, { shape, data }]) => [
        name,
        placed(memory, floatTensor(shape, dataOf(name) ?? data)),
      ]),
    );
  const valueTensors = tensors(() => undefined);
  const gradientTensors = tensors((name) => gradients.get(name));
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

/** A tensor that changes: on the host, the same object. */
function placed(memory: Memory, tensor: HostFloats): Tensor {
  if (memory.isHost) return tensor;
  const place = memory.buffer().tensor(tensor.type);
  memory.write([place], (data) => (data as Float32Array).set(tensor.data));
  return place;
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
  parts: Pick<Parameters, 'values' | 'gradients' | 'valueTensors' | 'gradientTensors'>,
): DeviceTransfers {
  /** Where the values are newer than on the other side. */
  let newer: 'nowhere' | 'host' | 'device' = 'nowhere';
  const publish = (): void => {
    if (newer !== 'host') return;
    for (const [name, tensor] of parts.valueTensors)
      memory.write([tensor], (data) => (data as Float32Array).set(parts.values.get(name)?.data ?? []));
    newer = 'nowhere';
  };
  const bring = async (
    tensors: ReadonlyMap<string, Tensor>,
    arrayOf: (name: string) => Float32Array | undefined,
  ): Promise<void> => {
    for (const [name, tensor] of tensors)
      arrayOf(name)?.set((await memory.read(tensor)).data as Float32Array);
  };
  return {
    changed() {
      newer = 'host';
    },
    publish,
    collect: () => bring(parts.gradientTensors, (name) => parts.gradients.get(name)),
    onDevice: {
      values: parts.valueTensors,
      gradients: parts.gradientTensors,
      publish,
      changed() {
        newer = 'device';
      },
      async collect() {
        if (newer !== 'device') return;
        await bring(parts.valueTensors, (name) => parts.values.get(name)?.data);
        newer = 'nowhere';
      },
    },
  };
}
