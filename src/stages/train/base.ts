import { unreadHead } from '../../models/adapters/classifier.js';
import type { ModelFolder } from '../../models/load.js';
import type { LoraConfig, StoredTensor, WeightStore } from '../../models/types.js';
import { weightStore } from '../../models/weights/store.js';
import type { Chosen } from '../types.js';

/** What the adapter needs of the base's weights, in the form that was chosen. Throws a `ModelError`. */
export function baseWeights(
  model: ModelFolder,
  { method, paged }: Pick<Chosen, 'method' | 'paged'>,
  lora: LoraConfig,
): WeightStore {
  const without = unreadHead(model.config, lora);
  if (method === 'full') return handedOver(model.loadWeights('stored', without));
  if (paged) return model.loadWeights('paged', without);
  return model.loadWeights(method === 'qlora' ? 'nf4' : 'stored', without);
}

/**
 * A store that lets go of a tensor once it has been decoded. Full training copies every weight into its parameters, so
 * without this the base would stand in memory twice.
 */
function handedOver(store: WeightStore): WeightStore {
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
