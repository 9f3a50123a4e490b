import { initModel } from '../../models/initialise.js';
import type { ModelFolder } from '../../models/load.js';
import type { StoredTensor, WeightStore } from '../../models/types.js';
import { expectedTensors } from '../../models/weights/llama-names.js';
import { quantiseNf4 } from '../../models/weights/nf4-quantise.js';
import { nf4Tensor } from '../../models/weights/nf4-tensor.js';
import { weightStore } from '../../models/weights/store.js';
import type { Chosen } from '../types.js';

/** The base's weights in the form that the method asks for. Throws a `ModelError`. */
export function baseWeights(
  model: ModelFolder,
  seed: number | undefined,
  method: Chosen['method'],
): WeightStore {
  if (method === 'full')
    return handedOver(seed === undefined ? model.loadWeights('stored') : fresh(model, seed));
  if (seed === undefined) return model.loadWeights(method === 'qlora' ? 'nf4' : 'stored');
  return method === 'qlora' ? quantised(model, fresh(model, seed)) : fresh(model, seed);
}

const fresh = (model: ModelFolder, seed: number): WeightStore => initModel(model.config, seed);

function quantised(model: ModelFolder, store: WeightStore): WeightStore {
  const tensors = expectedTensors(model.config).map(({ name, shape, role }): StoredTensor => {
    const stored = store.get(name);
    if (role !== 'projection') return stored;
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    stored.decode(values);
    return nf4Tensor(
      name,
      shape,
      quantiseNf4(values.length, (start, count) => values.slice(start, start + count)),
    );
  });
  return weightStore('fresh weights', tensors);
}

/**
 * A store that lets go of a tensor once it has been decoded. Full training copies every weight into its parameters, so
 * without this the base would stand in memory twice.
 */
export function handedOver(store: WeightStore): WeightStore {
  const names = store.names();
  const tensors = new Map(names.map((name) => [name, store.get(name)]));
  const { residentBytes } = store;
  const wrapped = new Map(
    [...tensors.values()].map(({ name, shape, format, residentBytes: bytes }): [string, StoredTensor] => {
      const held = (): StoredTensor => {
        const tensor = tensors.get(name);
        if (tensor === undefined) throw new Error(`${name} was handed over already`);
        return tensor;
      };
      return [
        name,
        {
          name,
          shape,
          format,
          residentBytes: bytes,
          view: () => tensors.get(name)?.view(),
          decode: (out) => {
            held().decode(out);
            tensors.delete(name);
          },
          decodeRows: (row, count, out) => held().decodeRows(row, count, out),
        },
      ];
    }),
  );
  const origin = weightStore('the base', [...wrapped.values()]);
  return { ...origin, residentBytes };
}
