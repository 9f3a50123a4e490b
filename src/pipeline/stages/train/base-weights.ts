import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { initAdapter } from '../../../compute/models/adapters/kinds.js';
import { labelsOf, unreadHead } from '../../../compute/models/adapters/whole.js';
import type { ModelFolder } from '../../../compute/models/load.js';
import type { ModelConfig, StoredTensor, WeightStore } from '../../../compute/models/types.js';
import { type LoadOptions, materialised } from '../../../compute/models/weights/load.js';
import { float32Tensor, weightStore } from '../../../compute/models/weights/stored-tensor.js';
import type { TrainPlan } from '../train-plan/plan.js';

export interface BaseOptions {
  readonly adapter: AdapterConfig;
  readonly seed: number;
  /** Tensors that are quantised already. */
  readonly quantised?: LoadOptions['quantised'] | undefined;
}

/**
 * What the adapter needs of the base's weights, in the form that was chosen; for full training with the head over labels
 * that it begins with. Throws a `ModelError`.
 */
export function baseWeights(
  model: ModelFolder,
  { method, pagedWeights, materialised: once }: Pick<TrainPlan, 'method' | 'pagedWeights' | 'materialised'>,
  { adapter, seed, quantised }: BaseOptions,
): WeightStore {
  const without = unreadHead(model.config, adapter);
  if (method === 'full')
    return withHead(
      handedOver(model.loadWeights('stored', { without })),
      model.config,
      labelsOf(adapter),
      seed,
    );
  if (pagedWeights) return model.loadWeights('paged', { without });
  const storage = method === 'qlora' ? 'nf4' : 'stored';
  return model.loadWeights(once ? materialised(storage) : storage, { without, quantised });
}

function withHead(
  store: WeightStore,
  config: ModelConfig,
  labels: readonly string[] | undefined,
  seed: number,
): WeightStore {
  if (labels === undefined) return store;
  const { tensors } = initAdapter(config, { kind: 'head', labels }, { seed, weights: store });
  const heads = [...tensors].map(([name, { shape, data }]) => float32Tensor(name, shape, data));
  const others = store.names().filter((name) => !tensors.has(name));
  return weightStore('the base', [...others.map((name) => store.get(name)), ...heads]);
}

/**
 * A store that releases a tensor once it has been decoded. Full training copies every weight into its parameters, so
 * without this the base would be in memory twice.
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
          dequantise: (out) => {
            held().dequantise(out);
            tensors.delete(name);
          },
          dequantiseRows: (row, count, out) => held().dequantiseRows(row, count, out),
        },
      ];
    }),
  );
  const origin = weightStore('the base', [...wrapped.values()]);
  return { ...origin, residentBytes };
}
