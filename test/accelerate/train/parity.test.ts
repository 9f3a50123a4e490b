import { expect } from 'chai';
import type { AccelerateEngine } from '../../../src/compute/accelerate/engine.js';
import { ranks, withPython } from '../python.js';
import {
  expectEqual,
  stepsOf,
  type Tolerance,
  type Trained,
  type TrainOptions,
  testFolders,
  trained,
} from './trained.js';

const ADAPTER = 'adapter/*/adapter_model.safetensors';
const MODEL = 'model/*/model.safetensors';

const lora = { rank: 4, alpha: 8, dropout: 0, targets: 'all_linear' };
const COMMON: TrainOptions = {
  settings: { lora, precision: 'f32', validate: { stage: 'dialogs', port: 'valid' } },
};
const with_ = (settings: object, more: Partial<TrainOptions> = {}): TrainOptions => ({
  ...COMMON,
  ...more,
  settings: { ...COMMON.settings, ...(settings as TrainOptions['settings']) },
});

function fast(rate: number): object {
  const args = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.01, clip: 1, loraplus_ratio: 1, rate };
  return { optimizer: { call: 'adamw', args } };
}

const ENGINES: Readonly<Record<string, AccelerateEngine>> = {
  'one rank': ranks(1),
  'two ranks, ddp': ranks(2),
  'two ranks, fsdp': ranks(2, 'fsdp'),
  'three ranks, ddp': ranks(3),
};

interface Case {
  readonly options: TrainOptions;
  readonly file?: string;
  readonly engines?: readonly string[];
  readonly near?: Tolerance;
}

const CASES: Readonly<Record<string, Case>> = {
  lora: { options: COMMON },
  qlora: { options: with_({}, { chosen: { method: 'qlora' } }), engines: ['one rank', 'two ranks, fsdp'] },
  full: {
    options: with_({}, { chosen: { method: 'full', rank: 0, alpha: 0 } }),
    file: MODEL,
    engines: ['one rank', 'two ranks, fsdp'],
  },
  'lora, dropout and noise': {
    options: with_({ lora: { ...lora, dropout: 0.1 }, neftune_noise_alpha: 5 }),
    engines: ['one rank', 'two ranks, ddp'],
  },
  // five micro batches of one row, and fewer in the last step of each pass
  'lora, accumulated': {
    options: with_({ batch: { global: 5 } }, { chosen: { microBatch: 1, accumulation: 5 } }),
    engines: ['two ranks, ddp', 'three ranks, ddp'],
  },
  'lora, packed': {
    options: with_({ batch: { global: 6, packing: true } }, { chosen: { microBatch: 1, accumulation: 6 } }),
    near: { tensors: 1e-3 },
    engines: ['one rank', 'two ranks, fsdp'],
  },
  // a rate so high that the validation loss rises
  'lora, stopped early': {
    options: with_({ ...fast(0.2), stop: { epochs: 30, patience: 1 }, checkpoint: { every: 2, keep: 2 } }),
    // where training runs away, rounding does too
    near: { losses: 1e-3, tensors: 0.1 },
    engines: ['two ranks, ddp'],
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
});
