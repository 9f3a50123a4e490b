import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { AdapterConfig } from '../../../src/compute/models/adapters/config.js';
import { initAdapter } from '../../../src/compute/models/adapters/kinds.js';
import { adaptedConfig } from '../../../src/compute/models/adapters/whole.js';
import { createDecoder, type Decoder } from '../../../src/compute/models/decoder/index.js';
import type { DecoderOptions } from '../../../src/compute/models/decoder/types.js';
import { type ModelFolder, openModel } from '../../../src/compute/models/load.js';
import { buildBatch, buildPacked } from '../../../src/compute/training/batch.js';
import type { TokenRows } from '../../../src/compute/training/index.js';
import { RUNTIME_NAMES, type RuntimeName } from '../../../src/language/ir/runtimes.js';
import { labelledRow } from '../../../src/pipeline/stages/format/labelled-rows.js';
import { baseWeights } from '../../../src/pipeline/stages/train/base-weights.js';
import { coverageOf } from '../../../src/pipeline/stages/train/coverage.js';
import { openHere, whereInstalled } from '../tensor/runtimes/here.js';
import { fixturePath, float32Tensors, host, type RecordedRun, tokenRows } from './fixture.js';
import { agrees } from './whole-run.js';

/** Against transformers' classifiers with PEFT and Trainer, as of whole trainings in `oracle.test.ts`. */
const folder = join(host.packageFolder, 'test', 'fixtures', 'classification');
const LOGITS = 1e-5;
const GRADIENTS = 1e-5;

type Name = `${keyof typeof FAMILIES}-${'head' | 'lora' | 'full'}` | 'llama-qlora';

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

const tensors = (name: string): ReadonlyMap<string, Float32Array> => float32Tensors(join(folder, name));

const rowsFor = (name: Name): TokenRows => {
  const { padId } = familyOf(name);
  const rows = json<{ ids: number[]; label: number }[]>('rows.json').map(({ ids, label }) =>
    labelledRow(Int32Array.from(ids), { padId, label }),
  );
  return tokenRows(rows.map(({ ids, labels }) => ({ ids: [...ids], labels: [...labels] })));
};

async function decoderFor(name: Name, runtime: RuntimeName): Promise<Decoder> {
  const { base } = familyOf(name);
  const model = openModel(host, base);
  const shared = { runtime: await openHere(runtime), checkpointedBlocks: 1, logitsChunk: 64 };
  const decoder = await createDecoder(
    name.endsWith('full')
      ? {
          ...shared,
          config: adaptedConfig(model.config, { kind: 'head', labels: LABELS }),
          weights: baseWeights(
            model,
            { method: 'full' },
            { adapter: { kind: 'head', labels: LABELS }, seed: 0 },
          ),
          trainable: 'full',
        }
      : { ...shared, config: model.config, ...adapterFor(name, model), trainable: 'adapter' },
  );
  const recorded = tensors(`${name}-batch.safetensors`);
  for (const [tensor, { data }] of decoder.parameters)
    data.set(recorded.get(`initial.${tensor}`) ?? expect.fail(`${tensor} is not recorded`));
  decoder.parametersChanged();
  return decoder;
}

function adapterFor(name: Name, model: ModelFolder): Pick<DecoderOptions, 'weights' | 'adapter'> {
  const { targets } = familyOf(name);
  const weights = model.loadWeights(name.endsWith('qlora') ? 'nf4' : 'stored');
  const adapter: AdapterConfig = name.endsWith('head')
    ? { kind: 'head', labels: LABELS }
    : { kind: 'lora', rank: 4, alpha: 8, dropout: 0, targets, labels: LABELS };
  return { weights, adapter: initAdapter(model.config, adapter, { seed: 0, weights }) };
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

/**
 * GPT-2's biases of the keys move every score of a query alike, which the softmax takes out again: their gradients are
 * rounding, of which Adam makes steps as large as any.
 */
const learnt = (tensor: string, data: Float32Array): Float32Array =>
  tensor.endsWith('c_attn.bias')
    ? data.map((value, at) => (Math.floor((3 * at) / data.length) === 1 ? 0 : value))
    : data;

async function wholeTraining(name: Name, runtime: RuntimeName): Promise<void> {
  const run = json<Record<Name, RecordedRun & { trainable: number; all: number }>>('runs.json')[name];
  const decoder = await decoderFor(name, runtime);
  const { config, adapter } = decoder.options;
  const { trainable, all } = coverageOf(config, adapter?.config);
  expect({ trainable, all }).to.deep.equal({ trainable: run.trainable, all: run.all });
  await agrees(decoder, {
    run,
    rows: rowsFor(name),
    padId: familyOf(name).padId,
    outcome: ({ parameters }) => ({
      found: new Map([...parameters].map(([tensor, { data }]) => [tensor, { data: learnt(tensor, data) }])),
      expected: new Map(
        [...tensors(`${name}-final.safetensors`)].map(([tensor, data]) => [tensor, learnt(tensor, data)]),
      ),
    }),
  });
}

const NAMES: Readonly<Record<RuntimeName, readonly Name[]>> = {
  onnx: ['llama-head', 'llama-lora', 'llama-qlora', 'llama-full', 'gpt2-head', 'gpt2-lora', 'gpt2-full'],
  tensorflow: ['llama-head', 'llama-lora', 'llama-full'],
  cpu: ['llama-head'],
  wasm: ['llama-head', 'llama-lora'],
  webgpu: [],
};

for (const runtime of RUNTIME_NAMES)
  describe(`classification against transformers, PEFT and Trainer, on ${runtime}`, () => {
    whereInstalled(runtime, () => {
      for (const name of NAMES[runtime]) {
        it(`${name}: logits, losses and gradients of a batch`, () => oneBatch(name, runtime));
        it(`${name}: a training's losses, norms and final tensors`, () => wholeTraining(name, runtime));
      }
    });
  });
