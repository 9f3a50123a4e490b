import type { AccelerateEngine } from '../../../src/compute/accelerate/engine.js';
import { ranks, withPython } from '../python.js';
import { expectEqual, type Trained, type TrainOptions, testFolders, trained } from './trained.js';

const ADAPTER = 'adapter/*/adapter_model.safetensors';
const MODEL = 'model/*/model.safetensors';

/** Without dropout, whose masks are drawn by another generator. */
const lora = { rank: 4, alpha: 8, dropout: 0, targets: 'all_linear' };
const COMMON: TrainOptions = {
  settings: { lora, precision: 'f32', validate: { stage: 'dialogs', port: 'valid' } },
};
const with_ = (settings: object, more: Partial<TrainOptions> = {}): TrainOptions => ({
  ...COMMON,
  ...more,
  settings: { ...COMMON.settings, ...(settings as TrainOptions['settings']) },
});

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
}

const CASES: Readonly<Record<string, Case>> = {
  lora: { options: COMMON },
  qlora: { options: with_({}, { chosen: { method: 'qlora' } }), engines: ['one rank', 'two ranks, ddp'] },
  full: {
    options: with_({}, { chosen: { method: 'full', rank: 0, alpha: 0 } }),
    file: MODEL,
    engines: ['one rank', 'two ranks, fsdp'],
  },
};

withPython('training by PyTorch and by the embedded engine', () => {
  const folder = testFolders();
  for (const [name, { options, file = ADAPTER, engines = Object.keys(ENGINES) }] of Object.entries(CASES)) {
    describe(name, () => {
      let embedded: Trained;
      before(async () => {
        embedded = await trained(folder(name), options);
      });
      for (const engine of engines)
        it(`is the same on ${engine}`, async () => {
          expectEqual(await trained(folder(name), options, ENGINES[engine]), embedded, file);
        });
    });
  }
});
