import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { RUNTIME_NAMES, type RuntimeName } from '../../src/ir/runtimes.js';
import { headConfig } from '../../src/models/adapters/classifier.js';
import { initLora } from '../../src/models/adapters/initialise.js';
import { createDecoder, type Decoder } from '../../src/models/decoder/index.js';
import { openModel } from '../../src/models/load.js';
import { openSafetensors } from '../../src/models/safetensors/read.js';
import type { Adapter, LoraConfig } from '../../src/models/types.js';
import { labelledRow } from '../../src/stages/format/labelled.js';
import { coverageOf } from '../../src/stages/train/coverage.js';
import { workFolder } from '../../src/store/index.js';
import { buildBatch, buildPacked } from '../../src/training/batch.js';
import {
  checkpoints,
  type StepRecord,
  type TokenRows,
  train,
  warmupSteps,
} from '../../src/training/index.js';
import { openHere, whereInstalled } from '../tensor/runtimes/here.js';
import { fixturePath, host, largestDifference, type RecordedRun, tokenRows } from './fixture.js';

/** Against transformers' classifiers with PEFT and Trainer, as of whole trainings in `oracle.test.ts`. */
const folder = join(host.packageFolder, 'test', 'fixtures', 'classification');
const LOGITS = 1e-5;
const GRADIENTS = 1e-5;
const LOSS = 1e-5;
const NORM = 1e-5;
const TENSOR = 1e-4;

type Name = 'llama-head' | 'llama-lora' | 'llama-qlora' | 'gpt2-head' | 'gpt2-lora';

const LABELS = ['a', 'b', 'c'];
const FAMILIES = {
  llama: {
    base: fixturePath('base'),
    padId: 2,
    targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
  },
  gpt2: { base: join(folder, 'gpt2'), padId: 0, targets: ['c_attn', 'mlp.c_proj'] },
} as const;

const familyOf = (name: Name) => FAMILIES[name.startsWith('llama') ? 'llama' : 'gpt2'];

const json = <T>(name: string): T => JSON.parse(readFileSync(join(folder, name), 'utf8')) as T;

function tensors(name: string): ReadonlyMap<string, Float32Array> {
  const file = openSafetensors(host, join(folder, name));
  return new Map(
    [...file.tensors].map(([tensor, entry]) => {
      const bytes = file.read(entry).slice();
      return [tensor, new Float32Array(bytes.buffer, 0, bytes.byteLength / 4)];
    }),
  );
}

const rowsFor = (name: Name): TokenRows => {
  const { padId } = familyOf(name);
  const rows = json<{ ids: number[]; label: number }[]>('rows.json').map(({ ids, label }) =>
    labelledRow(Int32Array.from(ids), { padId, label }),
  );
  return tokenRows(rows.map(({ ids, labels }) => ({ ids: [...ids], labels: [...labels] })));
};

async function decoderFor(name: Name, runtime: RuntimeName): Promise<Decoder> {
  const { base, targets } = familyOf(name);
  const model = openModel(host, base);
  const weights = model.loadWeights(name.endsWith('qlora') ? 'nf4' : 'stored');
  const lora: LoraConfig = name.endsWith('head')
    ? headConfig(LABELS)
    : { rank: 4, alpha: 8, dropout: 0, targets, labels: LABELS };
  const adapter: Adapter = initLora(model.config, lora, 0, { weights });
  const recorded = tensors(`${name}-batch.safetensors`);
  for (const [tensor, { data }] of adapter.tensors)
    data.set(recorded.get(`initial.${tensor}`) ?? expect.fail(`${tensor} is not recorded`));
  return createDecoder({
    runtime: await openHere(runtime),
    config: model.config,
    weights,
    adapter,
    trainable: 'adapter',
    checkpointedBlocks: 1,
    headChunk: 64,
  });
}

const largest = (values: Float32Array): number => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

function agree(found: ArrayLike<number>, expected: Float32Array, tolerance: number, what: string): void {
  expect(found.length, what).to.equal(expected.length);
  const scale = largest(expected);
  expected.forEach((value, i) => {
    expect(Math.abs(value - (found[i] ?? Number.NaN)) / scale, what).to.be.below(tolerance);
  });
}

async function oneBatch(name: Name, runtime: RuntimeName): Promise<void> {
  const decoder = await decoderFor(name, runtime);
  try {
    const rows = rowsFor(name);
    const recorded = tensors(`${name}-batch.safetensors`);
    const all = Uint32Array.from({ length: rows.count }, (_, row) => row);
    const batch = buildBatch(rows, all, familyOf(name).padId);
    agree(await decoder.classify(batch), recorded.get('logits') ?? new Float32Array(0), LOGITS, 'logits');
    decoder.zeroGradients();
    const result = await decoder.accumulate(batch, 1 / rows.count, { seed: 0, step: 1, micro: 0 });
    await decoder.collectGradients();
    expect(result.tokens).to.equal(rows.count);
    const losses = recorded.get('loss') ?? new Float32Array(0);
    agree(
      result.rows.map(({ sum }) => sum),
      losses,
      LOGITS,
      'losses',
    );
    const validated = await decoder.loss(batch);
    expect(validated.sum).to.be.closeTo(result.sum, 1e-4);
    for (const [tensor, gradient] of decoder.gradients)
      agree(gradient, recorded.get(`gradient.${tensor}`) ?? new Float32Array(0), GRADIENTS, tensor);
    // rows that share sequences come to the same
    decoder.zeroGradients();
    const packed = buildPacked(rows, [all], familyOf(name).padId, { longestText: 41, firstLabel: 0 });
    const together = await decoder.accumulate(packed, 1 / rows.count, { seed: 0, step: 1, micro: 0 });
    await decoder.collectGradients();
    expect(together.sum / result.sum).to.be.closeTo(1, 1e-6);
    for (const [tensor, gradient] of decoder.gradients)
      agree(
        gradient,
        recorded.get(`gradient.${tensor}`) ?? new Float32Array(0),
        GRADIENTS,
        `packed ${tensor}`,
      );
  } finally {
    await decoder.release();
  }
}

async function wholeTraining(name: Name, runtime: RuntimeName): Promise<void> {
  const run = json<Record<Name, RecordedRun & { trainable: number; all: number }>>('runs.json')[name];
  const decoder = await decoderFor(name, runtime);
  const work = mkdtempSync(join(tmpdir(), 'ftpc-classification-'));
  const records: StepRecord[] = [];
  try {
    await train({
      decoder,
      rows: rowsFor(name),
      padId: familyOf(name).padId,
      settings: {
        rate: run.rate,
        schedule: {
          name: run.schedule,
          warmupSteps: warmupSteps({ unit: 'ratio', value: run.warmup }, run.steps),
        },
        optimizer: 'adamw',
        momentum: 0,
        loraplusRatio: 1,
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
        work: workFolder(work, () => {}),
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
    const { config, adapter } = decoder.options;
    const { trainable, all } = coverageOf(config, adapter?.config);
    expect({ trainable, all }).to.deep.equal({ trainable: run.trainable, all: run.all });
    const difference = largestDifference(decoder.parameters, tensors(`${name}-final.safetensors`));
    expect(relative('loss')).to.be.below(LOSS);
    expect(relative('gradNorm')).to.be.below(NORM);
    expect(difference).to.be.below(TENSOR);
  } finally {
    await decoder.release();
    rmSync(work, { recursive: true, force: true });
  }
}

const NAMES: Readonly<Record<RuntimeName, readonly Name[]>> = {
  onnx: ['llama-head', 'llama-lora', 'llama-qlora', 'gpt2-head', 'gpt2-lora'],
  tensorflow: ['llama-head', 'llama-lora'],
  cpu: ['llama-head'],
  wasm: ['llama-head', 'llama-lora'],
  webgpu: [],
};

for (const runtime of RUNTIME_NAMES)
  describe(`classification against transformers, PEFT and Trainer, on ${runtime}`, () => {
    whereInstalled(runtime, () => {
      for (const name of NAMES[runtime]) {
        it(`${name}: logits, losses and gradients of a batch`, () => oneBatch(name, runtime)).timeout(60_000);
        it(`${name}: a training's losses, norms and final tensors`, () =>
          wholeTraining(name, runtime)).timeout(120_000);
      }
    });
  });
