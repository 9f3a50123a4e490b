/** The training step of a case, over weights that cost little to make. */

import { adapterShapes } from '../../src/compute/models/adapters/kinds.js';
import { labelsOf } from '../../src/compute/models/adapters/whole.js';
import { FORK } from '../../src/compute/models/architectures/graphs/attention.js';
import { expectedTensors } from '../../src/compute/models/architectures/index.js';
import { createDecoder } from '../../src/compute/models/decoder/index.js';
import type { TokenLosses } from '../../src/compute/models/decoder/types.js';
import type { StoredTensor } from '../../src/compute/models/types.js';
import type { Runtime } from '../../src/compute/tensor/types.js';
import { createUpdater } from '../../src/compute/training/create-updater.js';
import { OPTIMIZERS } from '../../src/compute/training/optimizers/index.js';
import { shareableFloats } from '../../src/language/host/shareable.js';
import type { MemoryCase } from './cases.js';

/** Makes weights and adapter; what is given back makes the decoder and takes two steps, and releases the decoder. */
export function trainingSteps({ options, optimizer }: MemoryCase): (runtime: Runtime) => Promise<void> {
  const { config, rows, length } = options;
  const shapes = options.adapter ? adapterShapes(config, options.adapter) : [];
  const adapter = options.adapter && {
    config: options.adapter,
    tensors: new Map(shapes.map(({ name, shape }) => [name, { shape, data: filled(shape) }] as const)),
  };
  const tensors = new Map(
    expectedTensors(config).map(({ name, shape }) => [
      name,
      stored(name, shape, options.dequantised.blocks !== true),
    ]),
  );
  const weights = {
    names: () => [...tensors.keys()],
    has: (name: string) => tensors.has(name),
    get(name: string) {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw new RangeError(name);
      return tensor;
    },
    residentBytes: 0,
  };
  return async (runtime) => {
    const decoder = await createDecoder({ ...options, runtime, weights, adapter });
    const ids = Int32Array.from({ length: rows * length }, (_, index) => (index * 7919) % config.vocabSize);
    // a text has its class at its last token
    const labels =
      (labelsOf(options.adapter) ?? config.labels) === undefined
        ? ids
        : Int32Array.from(ids, (_, index) => ((index + 1) % length === 0 ? index % 2 : -100));
    const forks = options.forked === true ? forksOf(rows, length) : undefined;
    const scale = options.weighs === true ? ({ losses }: TokenLosses) => losses.map(() => 1) : 1;
    const settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0, momentum: 0, loraplusRatio: 1 };
    const updater = optimizer && createUpdater(decoder, OPTIMIZERS[optimizer], settings);
    for (let step = 0; step < 2; step++) {
      decoder.zeroGradients();
      await decoder.accumulate({ rows, length, ids, labels, forks }, scale, { seed: 1, step, micro: 0 });
      await updater?.norm();
      await updater?.update(step + 1, 1e-4, 1);
    }
    await updater?.release();
    await decoder.release();
  };
}

/** A prompt and two answers of the same length in each row. */
const forksOf = (rows: number, length: number): Int32Array =>
  Int32Array.from({ length: rows * length }, (_, index) => {
    const part = Math.floor((3 * (index % length)) / length);
    return [FORK.shared, FORK.first, FORK.first + 1][part] ?? FORK.padding;
  });

/** Without garbage, whose pages would be used again and hide growth. */
function filled(shape: readonly number[]): Float32Array {
  const data = shareableFloats(shape.reduce((p, q) => p * q, 1));
  for (let index = 0; index < data.length; index++) data[index] = 0.02 * Math.sin(index);
  return data;
}

/** Weights as a file would hold them: `viewed` where the file's own bytes serve. */
function stored(name: string, shape: readonly number[], viewed: boolean): StoredTensor {
  const data = filled(shape);
  const width = data.length / (shape[0] ?? 1);
  return {
    ...{ name, shape, format: 'F32', residentBytes: data.byteLength },
    view: () => (viewed ? data : undefined),
    dequantise: (out) => out.set(data),
    dequantiseRows: (row, count, out) => out.set(data.subarray(row * width, (row + count) * width)),
  };
}
