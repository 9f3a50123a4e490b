import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { initLora } from '../../src/models/adapters/initialise.js';
import { createDecoder, type Decoder } from '../../src/models/decoder/index.js';
import { openModel } from '../../src/models/load.js';
import type { Adapter, ModelConfig, WeightStore } from '../../src/models/types.js';
import { workFolder } from '../../src/store/index.js';
import { onnxRuntime } from '../../src/tensor/runtimes/onnx/index.js';
import { checkpoints, type StepRecord, train, warmupSteps } from '../../src/training/index.js';
import {
  fixturePath,
  host,
  largestDifference,
  type RunName,
  recordedRows,
  recordedRun,
  recordedTensors,
} from './fixture.js';

/**
 * Whole trainings against PyTorch, PEFT and transformers' Trainer: losses and norms within 1e-5 of themselves, tensors
 * within 1e-4 of their largest value. Implementations of the same rules agree to about 1e-6.
 */
const LOSS = 1e-5;
const NORM = 1e-5;
const TENSOR = 1e-4;

async function decoderFor(name: RunName): Promise<Decoder> {
  const model = openModel(host, fixturePath('base'));
  const weights = model.loadWeights(name === 'qlora' ? 'nf4' : 'stored');
  return createDecoder({
    runtime: await onnxRuntime({ threads: 1 }),
    config: model.config,
    weights,
    adapter: name === 'full' ? undefined : initialAdapter(model.config, weights, name === 'dora'),
    trainable: name === 'full' ? 'full' : 'adapter',
    checkpointedBlocks: 1,
    headChunk: 64,
  });
}

/** PEFT's random factors; the magnitudes of DoRA follow from the base. */
function initialAdapter(config: ModelConfig, weights: WeightStore, dora: boolean): Adapter {
  const targets = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
  const lora = { rank: 4, alpha: 8, dropout: 0, targets, ...(dora ? { dora } : {}) };
  const { tensors } = initLora(config, lora, 0, weights);
  const recorded = recordedTensors('lora-initial.safetensors');
  for (const [name, { data }] of tensors) {
    const values = recorded.get(name);
    if (values !== undefined) data.set(values);
    expect(values === undefined, name).to.equal(name.includes('magnitude'));
  }
  return { config: lora, tensors };
}

describe('training against PyTorch, PEFT and Trainer', () => {
  for (const name of ['lora', 'dora', 'loraplus', 'qlora', 'full'] as const) {
    it(`${name}: losses, norms, rates and final tensors`, async () => {
      const run = recordedRun(name);
      const decoder = await decoderFor(name);
      const folder = mkdtempSync(join(tmpdir(), 'ftpc-oracle-'));
      const records: StepRecord[] = [];
      try {
        await train({
          decoder,
          rows: recordedRows(),
          padId: 2,
          settings: {
            rate: run.rate,
            schedule: {
              name: run.schedule,
              warmupSteps: warmupSteps({ unit: 'ratio', value: run.warmup }, run.steps),
            },
            optimizer: 'adamw',
            momentum: 0,
            loraplusRatio: run.loraplus ?? 1,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            decay: run.decay,
            clip: run.clip,
            totalSteps: run.steps,
            globalBatch: run.global,
            microBatch: run.micro,
            order: 'file',
            seed: 17,
            every: 50,
          },
          checkpoints: checkpoints({
            host,
            work: workFolder(folder, () => {}),
            digest: name,
            keep: 1,
            note: () => {},
          }),
          now: () => host.now(),
          signal: new AbortController().signal,
          emit: (event) => {
            if (event.type === 'step') records.push(event.record);
          },
        });
        const relative = (field: 'loss' | 'gradNorm'): number =>
          Math.max(
            ...run.history.map((expected, i) =>
              Math.abs((records[i]?.[field] ?? Number.NaN) / expected[field] - 1),
            ),
          );
        expect(records.length).to.equal(run.steps);
        records.forEach(({ learningRate }, i) => {
          expect(learningRate).to.be.closeTo(run.history[i]?.learningRate ?? Number.NaN, 1e-15);
        });
        const difference = largestDifference(
          decoder.parameters,
          recordedTensors(`${name}-final.safetensors`),
        );
        expect(relative('loss')).to.be.below(LOSS);
        expect(relative('gradNorm')).to.be.below(NORM);
        expect(difference).to.be.below(TENSOR);
      } finally {
        await decoder.release();
        rmSync(folder, { recursive: true, force: true });
      }
    }).timeout(60_000);
  }
});
