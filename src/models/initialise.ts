import { type ExpectedTensor, expectedTensors, isTarget, projectionsOfModel } from './architectures/index.js';
import { fillNormal, fillUniform } from './random.js';
import type { Adapter, LoraConfig, ModelConfig, WeightStore } from './types.js';
import { loadTensors } from './weights/load.js';
import type { WeightSource } from './weights/source.js';

/** Standard deviation of a fresh weight: transformers' `initializer_range`. */
const DEVIATION = 0.02;

/**
 * A fresh adapter as PEFT makes it: A from Kaiming's uniform with a = √5, which is U(−1/√in, 1/√in); B zero, so that
 * the adapted model starts as its base. The values depend on seed, tensor and rank alone.
 */
export function initLora(config: ModelConfig, lora: LoraConfig, seed: number): Adapter {
  const projections = projectionsOfModel(config);
  const unknown = lora.targets.find((name) => projections.every(({ target }) => target !== name));
  if (unknown !== undefined) throw new RangeError(`no projection is named ${unknown}`);
  const tensors = new Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>();
  for (const projection of projections) {
    if (!isTarget(lora, projection)) continue;
    const { path, outputs, inputs } = projection;
    const a = new Float32Array(lora.rank * inputs);
    const bound = 1 / Math.sqrt(inputs);
    fillUniform(a, seed, `${path}.lora_A`, -bound, bound);
    tensors.set(`${path}.lora_A.weight`, { shape: [lora.rank, inputs], data: a });
    tensors.set(`${path}.lora_B.weight`, {
      shape: [outputs, lora.rank],
      data: new Float32Array(outputs * lora.rank),
    });
  }
  return { config: lora, tensors };
}

/** Fresh float32 weights for training from scratch: N(0, 0.02), norms of one and biases of zero, as transformers initialises a Llama. */
export function initModel(config: ModelConfig, seed: number): WeightStore {
  return loadTensors('fresh weights', freshSource(config, seed), config, 'stored');
}

/** The weights of {@link initModel} as a source: each value is made when it is read. */
export function freshSource(config: ModelConfig, seed: number): WeightSource {
  return new Map(
    expectedTensors(config).map((tensor) => [
      tensor.name,
      {
        name: tensor.name,
        path: 'fresh weights',
        shape: tensor.shape,
        format: () => 'F32',
        read: (start, count) => freshValues(config, seed, tensor, start, count),
        readHalves() {
          throw new Error('fresh weights are float32');
        },
      },
    ]),
  );
}

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
  fillNormal(values, seed, name, 0, DEVIATION, start);
  // The padding row of the embedding takes part in nothing, and transformers starts it at zero.
  if (role === 'embedding' && config.padTokenId !== null) {
    const row = config.padTokenId * config.hiddenSize - start;
    values.fill(0, Math.max(0, row), Math.max(0, row + config.hiddenSize));
  }
  return values;
}
