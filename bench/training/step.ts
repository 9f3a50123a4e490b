/** The optimiser step that a task describes, over weights that cost little to make. */

import { initAdapter } from '../../src/compute/models/adapters/kinds.js';
import { expectedTensors } from '../../src/compute/models/architectures/index.js';
import { createDecoder, type Decoder } from '../../src/compute/models/decoder/index.js';
import { weightAccess } from '../../src/compute/models/load.js';
import type { ModelConfig } from '../../src/compute/models/types.js';
import { float32Tensor, type WeightSource } from '../../src/compute/models/weights/stored-tensor.js';
import { openRuntime } from '../../src/compute/tensor/runtimes/index.js';
import { isCrowded, onnxRuntime } from '../../src/compute/tensor/runtimes/onnx/index.js';
import { sizeOf } from '../../src/compute/tensor/shape.js';
import type { Runtime } from '../../src/compute/tensor/types.js';
import { createUpdater } from '../../src/compute/training/create-updater.js';
import { OPTIMIZERS } from '../../src/compute/training/optimizers/index.js';
import type { Updater } from '../../src/compute/training/optimizers/optimizer.js';
import { optimiserStep } from '../../src/compute/training/step.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import { shareableFloats } from '../../src/language/host/shareable.js';
import type { RuntimeName } from '../../src/language/ir/runtimes.js';
import { loraOf, type Task } from './cases.js';

interface Stepper {
  /** Gives the loss. */
  step(): Promise<number>;
  readonly runtime: Runtime;
  release(): Promise<void>;
}

/** A decoder of a task's model, and what updates its adapter. */
interface Trained {
  readonly runtime: Runtime;
  readonly decoder: Decoder;
  readonly updater: Updater;
  release(): Promise<void>;
}

type OwnTask = Pick<Task, 'config' | 'way' | 'threads'> & { readonly runtime?: RuntimeName };

/** `profile` is the beginning of the names of files that tell where the time of ONNX Runtime goes. */
export async function trained(task: OwnTask, profile?: string): Promise<Trained> {
  const { config, way, threads } = task;
  if (way.by !== 'ftpc') throw new Error(`a step of ${way.by} is not computed here`);
  const weights = weightAccess('even weights', config, () => evenSource(config));
  const host = nodeHost();
  const runtime =
    task.runtime === undefined || task.runtime === 'onnx'
      ? await onnxRuntime({ threads, profile, crowded: isCrowded(host.machine()) })
      : await openRuntime(host, task.runtime, { threads });
  const decoder = await createDecoder({
    runtime,
    config,
    weights: weights.loadWeights(
      way.method === 'lora' ? 'stored' : way.materialised ? 'nf4_materialised' : 'nf4',
    ),
    adapter: initAdapter(config, loraOf(config), { seed: 1 }),
    trainable: 'adapter',
    checkpointedBlocks: way.checkpointedBlocks,
    recomputedMlps: way.recomputedMlps,
    recomputedAttention: way.recomputedAttention,
    logitsChunk: way.logitsChunk,
    precision: way.precision,
  });
  const updater = createUpdater(decoder, OPTIMIZERS.adamw, {
    ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0, momentum: 0, loraplusRatio: 1 },
  });
  return {
    ...{ runtime, decoder, updater },
    async release() {
      await updater.release();
      await decoder.release();
    },
  };
}

/** Steps over rows; `profile` as in {@link trained}. */
export async function stepper(task: Task & OwnTask, profile?: string): Promise<Stepper> {
  const { config, rows, length } = task;
  const { runtime, decoder, updater, release } = await trained(task, profile);
  const read = (row: number) => {
    const ids = Int32Array.from({ length }, (_, at) => ((row * length + at) * 7919 + 17) % config.vocabSize);
    return { ids, labels: ids };
  };
  const source = { count: rows, lengthOf: () => length, read };
  let step = 0;
  return {
    async step() {
      step += 1;
      const { loss } = await optimiserStep({
        ...{ decoder, updater, source, step, microBatch: rows, padId: 0, seed: 1, rate: 1e-4, clip: 1 },
        rows: Uint32Array.from({ length: rows }, (_, row) => row),
        pause: async () => {},
      });
      return loss;
    },
    runtime,
    release,
  };
}

/** Half the width of an even distribution whose standard deviation is transformers' `initializer_range`, 0.02. */
const HALF_WIDTH = 0.02 * Math.sqrt(3);

/** Evenly distributed float32 weights from a linear congruential generator, norms of one. */
function evenSource(config: ModelConfig): WeightSource {
  let state = 1;
  const fill = (out: Float32Array): void => {
    for (let i = 0; i < out.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      out[i] = (state / 2 ** 31) * HALF_WIDTH;
    }
  };
  return new Map(
    expectedTensors(config).map(({ name, shape, role }) => {
      const read = (_: number, out: Float32Array): void => {
        if (role === 'norm') out.fill(1);
        else fill(out);
      };
      const load = () => {
        const values = shareableFloats(sizeOf(shape));
        read(0, values);
        return float32Tensor(name, shape, values);
      };
      return [name, { name, shape, path: 'even weights', format: () => 'F32' as const, read, load }];
    }),
  );
}
