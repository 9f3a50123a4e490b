import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { AccelerateEngine } from '../../../src/compute/accelerate/engine.js';
import { openSafetensors } from '../../../src/compute/models/safetensors/read.js';
import { f32Writable } from '../../../src/compute/models/safetensors/write.js';
import { fixturePath, host } from '../../compute/training/fixture.js';
import { askedRow } from '../../pipeline/stages/train/world.js';
import { writeTensors } from '../driver/specification.js';
import { ranks, withPython } from '../python.js';
import {
  expectEqual,
  lossesOf,
  stepsOf,
  type Tolerance,
  type Trained,
  type TrainOptions,
  testFolders,
  trained,
} from './trained.js';

const ADAPTER = 'adapter/*/adapter_model.safetensors';
const MODEL = 'model/*/model.safetensors';
const GPT2 = fixturePath('../classification/gpt2');
const TINY = fixturePath('../evaluation/tiny/base');
const GGUF = fixturePath('../gguf/tiny.gguf');

/** As transformers saves them in 4 bits: constants of two levels, of one, and matrices that were stored transposed. */
const inFourBits = (name: 'double' | 'single' | 'gpt2'): object => ({
  base: { call: 'local', args: { folder: fixturePath(`../nf4/${name}`) } },
});

const lora = { rank: 4, alpha: 8, dropout: 0, targets: 'all_linear' };
const COMMON: TrainOptions = {
  settings: { lora, precision: 'f32', validate: { stage: 'dialogs', port: 'valid' } },
};
const with_ = (settings: object, more: Partial<TrainOptions> = {}): TrainOptions => ({
  ...COMMON,
  ...more,
  settings: { ...COMMON.settings, ...(settings as TrainOptions['settings']) },
});

/** An optimiser that divides by nothing: tensors of both engines are as near as their losses. */
const sgd = (rate: number, more: object = {}): object => ({
  optimizer: { call: 'sgd', args: { rate, momentum: 0.9, decay: 0.01, clip: 1, loraplus_ratio: 1, ...more } },
});

const adamw = (epsilon: number): object => ({
  call: 'adamw',
  args: {
    ...{ rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon, decay: 0.01, clip: 1, loraplus_ratio: 1 },
    schedule: { call: 'cosine', args: { warmup: { unit: 'ratio', value: 0.1 } } },
  },
});

const ENGINES: Readonly<Record<string, AccelerateEngine>> = {
  'one rank': ranks(1),
  'two ranks, ddp': ranks(2),
  'two ranks, fsdp': ranks(2, 'fsdp'),
  'three ranks, ddp': ranks(3),
  'three ranks, fsdp': ranks(3, 'fsdp'),
};

/** Where the optimiser enlarges no rounding. */
const EXACT: Tolerance = { tensors: 2e-5 };

interface Case {
  readonly options: TrainOptions;
  readonly file?: string;
  readonly engines?: readonly string[];
  readonly near?: Tolerance;
}

const END = 258;

/** Rows of a tokenizer of bytes, of which five are answered. */
const ASKED: Partial<TrainOptions> = {
  rows: Array.from({ length: 24 }, (_, row) => {
    const word = ['lease', 'party', 'term', 'owner'][row % 4] ?? '';
    return askedRow(`say ${word}:`, `a ${word} b`, END);
  }),
  stopId: END,
};

const ANSWERED = {
  ...sgd(0.1),
  base: { call: 'local', args: { folder: TINY } },
  validation: {
    every: 3,
    metrics: [
      { call: 'rouge_l', args: {} },
      { call: 'perplexity', args: {} },
    ],
    ...{ rows: 5, max_tokens: 12, best: 'rouge_l' },
  },
  watch: { repetition: 'stop' },
  stop: { steps: 12 },
};

const CASES: Readonly<Record<string, Case>> = {
  lora: { options: COMMON },
  qlora: {
    options: with_({}, { chosen: { method: 'qlora' } }),
    engines: ['one rank', 'two ranks, fsdp', 'two ranks, ddp', 'three ranks, ddp', 'three ranks, fsdp'],
  },
  // rows of 32 weights: blocks of 64 run on from row to row, and along the inputs of layers that are stored transposed;
  // of other seeds, bitsandbytes takes the second-nearest code for a constant
  'qlora over GPT-2': {
    options: with_(
      { base: { call: 'untrained', args: { folder: GPT2, seed: 1 } }, ...sgd(0.1) },
      { chosen: { method: 'qlora' } },
    ),
    near: EXACT,
    engines: ['one rank', 'two ranks, fsdp'],
  },
  full: {
    options: with_({}, { chosen: { method: 'full', rank: 0, alpha: 0 } }),
    file: MODEL,
    engines: ['one rank', 'two ranks, fsdp', 'two ranks, ddp', 'three ranks, ddp'],
  },
  'lora, dropout and noise': {
    options: with_({ lora: { ...lora, dropout: 0.1 }, neftune_noise_alpha: 5 }),
    engines: ['one rank', 'two ranks, ddp'],
  },
  'lora, embedding and head trained whole': {
    options: with_({ lora: { ...lora, modules_to_save: ['embed_tokens', 'lm_head'] } }),
    engines: ['one rank', 'two ranks, fsdp'],
  },
  'lora over embedding and head, in chunks': {
    options: with_(
      { lora: { ...lora, targets: ['q_proj', 'embed_tokens', 'lm_head'] }, ...sgd(0.1) },
      { chosen: { microBatch: 1, accumulation: 6, logitsChunk: 16 } },
    ),
    near: EXACT,
    engines: ['one rank', 'two ranks, ddp', 'two ranks, fsdp'],
  },
  'lora over embedding and head of GPT-2, in four bits': {
    options: with_(
      {
        base: { call: 'untrained', args: { folder: GPT2, seed: 1 } },
        lora: { ...lora, targets: ['c_attn', 'wte', 'lm_head'] },
        ...sgd(0.1),
      },
      { chosen: { method: 'qlora' } },
    ),
    near: EXACT,
    engines: ['one rank'],
  },
  'lora, added tokens of the base': {
    options: with_(
      {
        ...sgd(0.1),
        base: { call: 'local', args: { folder: TINY, added_tokens: ['<x>'], special_tokens: ['</x>'] } },
        lora: { ...lora, modules_to_save: ['embed_tokens', 'lm_head'] },
      },
      {
        // the two tokens have the ids after all there are
        rows: Array.from({ length: 24 }, (_, row) => {
          const { ids, labels } = askedRow(`say ${'abc'[row % 3]}:`, 'a word', END);
          return { ids: [END + 1, ...ids, END + 2], labels: [-100, ...labels, END + 2] };
        }),
      },
    ),
    near: EXACT,
    engines: ['one rank', 'two ranks, fsdp'],
  },
  'lora, biases trained': {
    options: with_({
      base: { call: 'local', args: { folder: GPT2 } },
      lora: { ...lora, targets: ['c_attn', 'mlp.c_proj'], bias: 'all' },
      ...sgd(0.1),
    }),
    near: EXACT,
    engines: ['one rank', 'two ranks, fsdp'],
  },
  'lora, some layers excluded': {
    options: with_({
      lora: { ...lora, exclude: ['k_proj', 'mlp.up_proj', 'model.layers.1.self_attn.q_proj'] },
    }),
    engines: ['one rank'],
  },
  // five micro batches of one row, and fewer in the last step of each pass
  'lora, accumulated': {
    options: with_({ batch: { global: 5 } }, { chosen: { microBatch: 1, accumulation: 5 } }),
    engines: ['one rank', 'two ranks, ddp', 'three ranks, ddp'],
  },
  'lora, packed': {
    options: with_(
      { batch: { global: 6, packing: true }, ...sgd(0.1) },
      { chosen: { microBatch: 1, accumulation: 6 } },
    ),
    near: EXACT,
    engines: ['one rank', 'two ranks, fsdp', 'three ranks, ddp'],
  },
  // its epsilon is above the rounding of gradients: of 1e-8, one value whose first gradient is 1.1e-7, and 4.9e-3 the largest next
  // to it, makes 3.6e-4 of what float32 rounds
  'lora, packed, by AdamW': {
    near: EXACT,
    options: with_(
      { batch: { global: 6, packing: true }, optimizer: adamw(1e-4) },
      { chosen: { microBatch: 1, accumulation: 6 } },
    ),
    engines: ['one rank', 'two ranks, ddp'],
  },
  // a rate so high that the validation loss rises
  'lora, stopped early': {
    options: with_({ ...sgd(0.5), stop: { epochs: 30, patience: 1 }, checkpoint: { every: 2, keep: 2 } }),
    near: EXACT,
    engines: ['one rank', 'two ranks, ddp', 'three ranks, ddp'],
  },
  'lora, a rate that falls on plateaus': {
    options: with_({
      ...sgd(0.5, {
        schedule: { call: 'reduce_on_plateau', args: { factor: 0.5, patience: 0, threshold: 0, min: 0.2 } },
      }),
      stop: { epochs: 10 },
      checkpoint: { every: 1, keep: 2 },
    }),
    near: EXACT,
    engines: ['two ranks, ddp'],
  },
  'a prefix by two layers': {
    options: with_({ prefix: { tokens: 4, projection: 12 }, ...sgd(0.1) }),
    near: EXACT,
    engines: ['one rank', 'two ranks, ddp'],
  },
  'lora, tokens that count less, packed and in chunks': {
    options: with_(
      { batch: { global: 6, packing: true }, ...sgd(0.1) },
      { isWeighted: true, chosen: { microBatch: 1, accumulation: 6, logitsChunk: 16 } },
    ),
    near: EXACT,
    engines: ['one rank', 'two ranks, fsdp', 'two ranks, ddp'],
  },
  'lora, smoothed labels, in chunks': {
    options: with_(
      { label_smoothing: 0.2, ...sgd(0.1) },
      { isWeighted: true, chosen: { microBatch: 1, accumulation: 6, logitsChunk: 16 } },
    ),
    near: EXACT,
    engines: ['one rank', 'two ranks, fsdp'],
  },
  'a classifier, smoothed labels': {
    options: with_({ label_smoothing: 0.2, ...sgd(0.1) }, { labels: ['a', 'b', 'c'] }),
    near: EXACT,
    engines: ['one rank'],
  },
  'full, tokens that count less': {
    options: with_(sgd(0.05), {
      isWeighted: true,
      chosen: { method: 'full', rank: 0, alpha: 0, logitsChunk: 16 },
    }),
    file: MODEL,
    near: EXACT,
    engines: ['one rank'],
  },
  'a classifier': {
    options: with_(sgd(0.1), { labels: ['a', 'b', 'c'] }),
    near: EXACT,
    engines: ['one rank', 'two ranks, ddp'],
  },
  'lora, answers measured': {
    options: with_(ANSWERED, ASKED),
    near: EXACT,
    engines: ['one rank', 'two ranks, ddp', 'two ranks, fsdp', 'three ranks, fsdp'],
  },
  'a prompt, answers measured': {
    options: with_({ ...ANSWERED, lora: {}, prompt: { tokens: 4, init: 'random' } }, ASKED),
    near: EXACT,
    engines: ['two ranks, fsdp'],
  },
  'every weight, answers measured': {
    options: with_(ANSWERED, { ...ASKED, chosen: { method: 'full', rank: 0, alpha: 0 } }),
    file: MODEL,
    near: EXACT,
    engines: ['two ranks, fsdp'],
  },
  'a classifier, f1 measured': {
    options: with_(
      {
        ...sgd(0.1),
        validation: { every: 2, metrics: [{ call: 'f1', args: {} }], rows: 64, max_tokens: 64, best: 'f1' },
      },
      { labels: ['a', 'b', 'c'] },
    ),
    near: EXACT,
    engines: ['one rank', 'two ranks, ddp'],
  },
  'a base that is stored in four bits': {
    options: with_({ ...inFourBits('double'), ...sgd(0.1) }),
    near: EXACT,
    engines: ['one rank', 'two ranks, ddp', 'two ranks, fsdp', 'three ranks, fsdp'],
  },
  'a base that is stored in four bits with constants of one level, under DoRA': {
    options: with_({ ...inFourBits('single'), lora: { ...lora, dora: true }, ...sgd(0.1) }),
    near: EXACT,
    engines: ['one rank', 'two ranks, fsdp'],
  },
  'qlora over GPT-2 that is stored in four bits': {
    options: with_({ ...inFourBits('gpt2'), ...sgd(0.1) }, { chosen: { method: 'qlora' } }),
    near: EXACT,
    engines: ['one rank', 'two ranks, fsdp'],
  },
  'a base in GGUF': {
    options: with_({ base: { call: 'gguf', args: { file: GGUF } }, ...sgd(0.1) }),
    near: EXACT,
    engines: ['one rank'],
  },
};

withPython('training by PyTorch and by the embedded engine', () => {
  const folder = testFolders();
  for (const [name, { options, file = ADAPTER, engines = Object.keys(ENGINES), near }] of Object.entries(
    CASES,
  )) {
    describe(name, () => {
      let embedded: Trained;
      before(async () => {
        embedded = await trained(folder(name), options);
      });
      for (const engine of engines)
        it(`is the same on ${engine}`, async () => {
          expectEqual(await trained(folder(name), options, ENGINES[engine]), embedded, file, near);
        });
    });
  }

  it("applies no dropout of the base's own", async () => {
    const base = folder('gpt2');
    const config = JSON.parse(readFileSync(fixturePath('../classification/gpt2/config.json'), 'utf8'));
    const dropping = { ...config, attn_pdrop: 0.5, embd_pdrop: 0.5, resid_pdrop: 0.5 };
    writeFileSync(join(base, 'config.json'), JSON.stringify(dropping));
    const options = with_({ base: { call: 'untrained', args: { folder: base, seed: 1 } }, ...sgd(0.1) });
    const embedded = await trained(folder('embedded'), options);
    expectEqual(await trained(folder('ranks'), options, ranks(1)), embedded, ADAPTER, EXACT);
  });

  /** A base like the recorded one, with biases in its attention. */
  function biasedBase(): string {
    const base = folder('biased');
    const config = JSON.parse(readFileSync(fixturePath('base/config.json'), 'utf8'));
    writeFileSync(join(base, 'config.json'), JSON.stringify({ ...config, attention_bias: true }));
    const file = openSafetensors(host, fixturePath('base/model.safetensors'));
    const stored = [...file.tensors].flatMap(([name, entry]) => {
      const bytes = file.read(entry);
      const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
      const bias = Float32Array.from({ length: entry.shape[0] ?? 0 }, (_, at) => 0.1 * Math.sin(at));
      return [
        f32Writable(name, entry.shape, values),
        ...(name.includes('self_attn')
          ? [f32Writable(name.replace('.weight', '.bias'), [bias.length], bias)]
          : []),
      ];
    });
    writeTensors(join(base, 'model.safetensors'), stored);
    return base;
  }

  it('trains biases over four bits', async () => {
    const options = with_(
      {
        base: { call: 'local', args: { folder: biasedBase() } },
        lora: { ...lora, targets: ['q_proj', 'o_proj', 'down_proj'], bias: 'lora_only' },
        ...sgd(0.1),
      },
      { chosen: { method: 'qlora' } },
    );
    const embedded = await trained(folder('embedded'), options);
    expectEqual(await trained(folder('ranks'), options, ranks(1)), embedded, ADAPTER, EXACT);
    // products in bfloat16 leave what is trained in float32
    const bf16 = with_({ ...options.settings, precision: 'bf16' }, { chosen: { method: 'qlora' } });
    const losses = lossesOf(await trained(folder('bf16'), bf16, ranks(1)));
    for (const [index, loss] of lossesOf(embedded).entries())
      expect(losses[index], `loss of step ${index + 1}`).to.be.closeTo(loss, 0.02 * loss);
  });

  it('is near in bf16', async () => {
    const embedded = await trained(folder('f32'), COMMON);
    const found = await trained(folder('bf16'), with_({ precision: 'bf16' }), ranks(1));
    const losses = lossesOf(found);
    for (const [index, loss] of lossesOf(embedded).entries())
      expect(losses[index], `loss of step ${index + 1}`).to.be.closeTo(loss, 0.02 * loss);
    expect(losses).not.to.deep.equal(lossesOf(embedded));
  });

  it('goes on with one rank from the checkpoint of two', async () => {
    const embedded = await trained(folder('embedded'), COMMON);
    const shared = folder('shared');
    const stop = new AbortController();
    const interrupted = trained(
      shared,
      { ...COMMON, signal: stop.signal, heard: (step) => step === 6 && stop.abort(new Error('stop')) },
      ranks(2),
    );
    const error = await interrupted.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.equal(stop.signal.reason);
    const second = await trained(shared, { ...COMMON, output: 'again' }, ranks(1));
    const [first = 0] = stepsOf(second);
    expect(first).to.be.greaterThan(6);
    expectEqual(second, embedded, ADAPTER, { from: first });
  });

  it('goes back to a good checkpoint where it diverges', async () => {
    const adamw = { rate: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0, clip: 1, loraplus_ratio: 1 };
    const options = with_(
      {
        optimizer: { call: 'adamw', args: adamw },
        stop: { epochs: 6 },
        watch: { divergence: { call: 'recover', args: { rate: 0.01, times: 2 } } },
      },
      { chosen: { method: 'full', rank: 0, alpha: 0 } },
    );
    const { events } = await trained(folder('diverging'), options, ranks(2));
    const [change, ...others] = events.flatMap((each) => (each.type === 'recovery' ? [each.change] : []));
    expect(others).to.deep.equal([]);
    expect(change?.['rate']).to.equal('1%');
    const [last] = events
      .flatMap((each) => (each.type === 'stage.progress' ? [each.learningRate] : []))
      .slice(-1);
    expect(last).to.equal(0.01);
  });
});
