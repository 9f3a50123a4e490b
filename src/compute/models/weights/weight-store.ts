import { ModelError, type StoredTensor, type WeightStore } from '../types.js';

/** A store over tensors that are in memory; `origin` is the file or folder that an error names. */
export function weightStore(origin: string, tensors: readonly StoredTensor[]): WeightStore {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  return {
    names: () => [...byName.keys()],
    has: (name) => byName.has(name),
    get(name) {
      const tensor = byName.get(name);
      if (tensor !== undefined) return tensor;
      throw new ModelError(
        'model_weights',
        origin,
        `Tensor "${name}" is missing.`,
        'Check that the weights belong to the config.json next to them.',
      );
    },
    residentBytes: tensors.reduce((sum, tensor) => sum + tensor.residentBytes, 0),
  };
}
