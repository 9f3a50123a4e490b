/** LoRA over experts, against PEFT's `target_parameters` in a plain loop of PyTorch. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { AccelerateEngine } from '../../../src/compute/accelerate/engine.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { PYTHON, ranks, withPython } from '../python.js';
import { expectPlain, type PlainTraining, trainedByPeft } from './peft-loop.js';
import { type Trained, type TrainOptions, testFolders, trained } from './trained.js';

const ENGINES: Readonly<Record<string, AccelerateEngine>> = {
  'one rank': ranks(1),
  'two ranks, ddp': ranks(2),
  'two ranks, fsdp': ranks(2, 'fsdp'),
};

const scripts = join(nodeHost().packageFolder, 'test', 'accelerate', 'train');

interface Case {
  readonly targets: readonly string[];
  readonly bias?: 'all';
  readonly engines: readonly string[];
}

/** Both kinds, and one alone; with linear layers, and without. */
const CASES: Readonly<Record<string, Case>> = {
  mixtral: {
    targets: ['q_proj', 'experts.gate_up_proj', 'experts.down_proj'],
    engines: ['one rank', 'two ranks, ddp'],
  },
  qwen3_moe: { targets: ['mlp.experts.down_proj'], engines: ['one rank'] },
  gpt_oss: {
    targets: ['v_proj', 'mlp.experts.gate_up_proj', 'mlp.experts.down_proj'],
    // those of what chooses the experts, too
    bias: 'all',
    engines: ['one rank', 'two ranks, fsdp'],
  },
};

withPython('LoRA over experts', () => {
  const folder = testFolders();
  let models = '';
  before(() => {
    models = folder('models');
    execFileSync(PYTHON ?? '', [join(scripts, 'make_mixtures.py'), models], { stdio: 'pipe' });
  });

  const options = (name: string, { targets, bias }: Case): TrainOptions => ({
    settings: {
      base: { call: 'local', args: { folder: join(models, name) } },
      lora: { rank: 3, alpha: 6, dropout: 0, targets: [...targets], ...(bias && { bias }) },
      optimizer: { call: 'sgd', args: { rate: 0.2, momentum: 0.9, decay: 0, loraplus_ratio: 1 } },
      precision: 'f32',
    },
    chosen: { rank: 3, alpha: 6 },
  });

  for (const [name, asked] of Object.entries(CASES))
    describe(name, () => {
      let plain: PlainTraining;
      const found = new Map<string, Trained>();
      before(async () => {
        const place = folder(name);
        found.set('one rank', await trained(place, options(name, asked), ENGINES['one rank']));
        plain = trainedByPeft(place, folder(`${name}-peft`));
      });
      for (const how of asked.engines)
        it(`is what PEFT trains, on ${how}`, async () => {
          const own = found.get(how) ?? (await trained(folder(name), options(name, asked), ENGINES[how]));
          expectPlain(own, plain);
        });
    });
});
