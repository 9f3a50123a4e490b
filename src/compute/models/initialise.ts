import { shareableFloats } from '../../language/host/shareable.js';
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
        read: (start, out) => writeFresh(config, seed, tensor, start, out),
        load() {
          const values = shareableFloats(sizeOf(tensor.shape));
          writeFresh(config, seed, tensor, 0, values);
          return float32Tensor(tensor.name, tensor.shape, values);
        },
      },
    ]),
  );

function writeFresh(
  config: ModelConfig,
  seed: number,
  { name, role, unit }: ExpectedTensor,
  start: number,
  out: Float32Array,
): void {
  if (role === 'norm' || role === 'bias') {
    out.fill(role === 'norm' ? (unit ?? 1) : 0);
    return;
  }
  fillNormal(out, seed, name, DEVIATION, start);
  // The padding row of the embedding takes part in nothing, and transformers starts it at zero.
  if (role === 'embedding' && config.padTokenId !== null) {
    const row = config.padTokenId * config.hiddenSize - start;
    out.fill(0, Math.max(0, row), Math.max(0, row + config.hiddenSize));
  }
}
