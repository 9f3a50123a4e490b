import { sizeOf } from '../tensor/shape.js';
import { type ExpectedTensor, expectedTensors } from './architectures/index.js';
import { fillNormal } from './philox.js';
import type { ModelConfig, WeightStore } from './types.js';
import { loadTensors } from './weights/load.js';
import { float32Tensor, type WeightSource } from './weights/stored-tensor.js';

/** Standard deviation of a fresh weight: transformers' `initializer_range`. */
export const DEVIATION = 0.02;

/**
 * Fresh float32 weights for training from scratch: N(0, 0.02), norms of one and biases of zero, as transformers
 * initialises a Llama.
 */
export const initModel = (config: ModelConfig, seed: number): WeightStore =>
  loadTensors('fresh weights', freshSource(config, seed), config, 'stored');

/** The weights of {@link initModel} as a source: each value is made when it is read. */
export const freshSource = (config: ModelConfig, seed: number): WeightSource =>
  new Map(
    expectedTensors(config).map((tensor) => [
      tensor.name,
      {
        name: tensor.name,
        path: 'fresh weights',
        shape: tensor.shape,
        format: () => 'F32',
        read: (start, count) => freshValues(config, seed, tensor, start, count),
        load: () =>
          float32Tensor(
            tensor.name,
            tensor.shape,
            freshValues(config, seed, tensor, 0, sizeOf(tensor.shape)),
          ),
      },
    ]),
  );

function freshValues(
  config: ModelConfig,
  seed: number,
  { name, role, unit }: ExpectedTensor,
  start: number,
  count: number,
): Float32Array {
  const values = new Float32Array(count);
  if (role === 'norm') return values.fill(unit ?? 1);
  if (role === 'bias') return values;
  fillNormal(values, seed, name, DEVIATION, start);
  // The padding row of the embedding takes part in nothing, and transformers starts it at zero.
  if (role === 'embedding' && config.padTokenId !== null) {
    const row = config.padTokenId * config.hiddenSize - start;
    values.fill(0, Math.max(0, row), Math.max(0, row + config.hiddenSize));
  }
  return values;
}
