import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { PYTHON, ranks, withPython } from '../python.js';
import { apart, lossesOf, type TrainOptions, testFolders, trained } from './trained.js';

const scripts = join(nodeHost().packageFolder, 'test', 'accelerate', 'train');

/** Two passes over the rows with SGD, which divides by nothing: tensors are as near as their losses. */
const OPTIONS: TrainOptions = {
  settings: {
    lora: { rank: 4, alpha: 8, dropout: 0, targets: 'all_linear' },
    optimizer: { call: 'sgd', args: { rate: 0.2, momentum: 0.9, decay: 0, loraplus_ratio: 1 } },
    precision: 'f32',
  },
  isWeighted: true,
};

withPython('tokens that count less', () => {
  const folder = testFolders();

  it('are trained on as by a plain loop of PyTorch, on both engines', async () => {
    const place = folder('ranks');
    const driver = await trained(place, OPTIONS, ranks(1));
    const expected = folder('peft');
    const spec = join(place, 'work', '.unfinished-scratch', 'spec.json');
    execFileSync(PYTHON ?? '', [join(scripts, 'peft_loop.py'), spec, expected], { stdio: 'pipe' });
    const losses = JSON.parse(readFileSync(join(expected, 'losses.json'), 'utf8')) as number[];
    for (const own of [driver, await trained(folder('embedded'), OPTIONS)]) {
      expect(lossesOf(own)).to.have.length(losses.length);
      for (const [step, loss] of losses.entries())
        expect(lossesOf(own)[step], `loss of step ${step + 1}`).to.be.closeTo(loss, 1e-5 * loss);
      expect(
        apart(
          join(expected, 'adapter_model.safetensors'),
          own.path('adapter/last/adapter_model.safetensors'),
        ),
      ).to.be.below(2e-5);
    }
  });
});
