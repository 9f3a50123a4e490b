/** A Llama of hidden size 48 and one layer that is trained for some steps on a runtime: LoRA, QLoRA, or as a whole. */

import type { LoraConfig } from '../../../src/compute/models/adapters/config.js';
import { adapterShapes } from '../../../src/compute/models/adapters/kinds.js';
import { expectedTensors } from '../../../src/compute/models/architectures/index.js';
import { createDecoder } from '../../../src/compute/models/decoder/index.js';
import { freshSource } from '../../../src/compute/models/initialise.js';
import { fillNormal } from '../../../src/compute/models/philox.js';
import type { Adapter, ModelConfig, WeightStore } from '../../../src/compute/models/types.js';
import { encodeBfloat16 } from '../../../src/compute/models/weights/half.js';
import { nf4Tensor } from '../../../src/compute/models/weights/nf4-tensor.js';
import {
  blockTensor,
  float32Tensor,
  weightStore,
} from '../../../src/compute/models/weights/stored-tensor.js';
import { sizeOf } from '../../../src/compute/tensor/shape.js';
import type { Runtime } from '../../../src/compute/tensor/types.js';
import { type Checkpoints, type TrainingSettings, train } from '../../../src/compute/training/index.js';
import type { StepRecord } from '../../../src/compute/training/state.js';
import { quantiseValues } from '../models/plain-nf4.js';
import { tokenRows } from './fixture.js';

export type Method = 'lora' | 'qlora' | 'full';

export interface SmallTraining {
  readonly method: Method;
  readonly steps: number;
  /** The head is the embedding. */
  readonly tied?: boolean;
  readonly vocabSize?: number;
  /** Rows of a step, one at a time; left out: 2. */
  readonly global?: number;
  /** Called after each step. */
  readonly onStep?: (step: number) => void;
  readonly save?: Checkpoints['save'];
}

export interface Trained {
  readonly steps: readonly StepRecord[];
  readonly parameters: ReadonlyMap<string, Float32Array>;
}

const settings = (steps: number, global: number): TrainingSettings => ({
  ...{ optimizer: 'adamw', rate: 0.01, momentum: 0, loraplusRatio: 1, beta1: 0.9, beta2: 0.999 },
  ...{ epsilon: 1e-8, decay: 0.01, clip: 1, schedule: { name: 'cosine', warmupSteps: 1 } },
  ...{ totalSteps: steps, globalBatch: global, microBatch: 1, order: 'shuffled', seed: 17, every: steps },
});

/** Wide enough that the gradient of a table is one product, as of the models that people train. */
const CONFIG: ModelConfig = {
  ...{ architecture: 'llama', vocabSize: 61, hiddenSize: 48, intermediateSize: 64, layers: 1, heads: 3 },
  ...{ keyValueHeads: 1, headDim: 16, maxPositions: 64, ropeTheta: 10_000, normEpsilon: 1e-5 },
  ...{ tieEmbeddings: true, bosTokenId: 1, eosTokenIds: [2], padTokenId: 0 },
};

const LORA: LoraConfig = {
  kind: 'lora',
  rank: 4,
  alpha: 8,
  dropout: 0,
  targets: ['q_proj', 'v_proj', 'down_proj'],
};

export async function trainSmall(
  runtime: Runtime,
  { method, steps, tied = true, vocabSize = 61, global = 2, onStep, save = async () => '' }: SmallTraining,
): Promise<Trained> {
  const config: ModelConfig = { ...CONFIG, tieEmbeddings: tied, vocabSize };
  const decoder = await createDecoder({
    ...{ runtime, config, weights: weightsOf(config, method), logitsChunk: 16, checkpointedBlocks: 0 },
    ...(method === 'full' ? {} : { adapter: freshAdapter(config) }),
    trainable: method === 'full' ? 'full' : 'adapter',
  });
  const records: StepRecord[] = [];
  try {
    await train({
      decoder,
      rows: rowsOf(vocabSize),
      padId: 0,
      settings: settings(steps, global),
      checkpoints: { resume: () => undefined, save, parametersOf: () => new Map() },
      clock: () => 0,
      signal: new AbortController().signal,
      emit(event) {
        if (event.type !== 'step') return;
        records.push(event.record);
        onStep?.(event.record.step);
      },
    });
    const parameters = new Map([...decoder.parameters].map(([name, { data }]) => [name, data.slice()]));
    return { steps: records, parameters };
  } finally {
    await decoder.release();
  }
}

/** Of which B is not zero: A has a gradient in the first step. */
const freshAdapter = (config: ModelConfig): Adapter => ({
  config: LORA,
  tensors: new Map(
    adapterShapes(config, LORA).map(({ name, shape }) => {
      const data = new Float32Array(sizeOf(shape));
      fillNormal(data, 11, name, 0.1);
      return [name, { shape, data }];
    }),
  ),
});

/** Of QLoRA projections in NF4, and bfloat16 where tokens are looked up and predicted. */
function weightsOf(config: ModelConfig, method: Method): WeightStore {
  const source = freshSource(config, 7);
  return weightStore(
    'small',
    expectedTensors(config).map(({ name, shape, role }) => {
      const values = new Float32Array(sizeOf(shape));
      source.get(name)?.load().dequantise(values);
      if (method !== 'qlora' || role === 'norm') return float32Tensor(name, shape, values);
      if (role === 'projection') return nf4Tensor(...([name, shape] as const), quantiseValues(values));
      return blockTensor(name, shape, 'BF16', new Uint8Array(encodeBfloat16(values).buffer));
    }),
  );
}

/** Tokens from all of the vocabulary. */
const rowsOf = (vocabSize: number) =>
  tokenRows(
    Array.from({ length: 8 }, (_, row) => {
      const ids = Array.from(
        { length: 7 + (row % 3) },
        (__, at) => (1 + row * 97 + at * 53 + at * at) % vocabSize,
      );
      return { ids, labels: ids };
    }),
  );
