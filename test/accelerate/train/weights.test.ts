import { ranks, withPython } from '../python.js';
import { expectPlain, trainedByPeft } from './peft-loop.js';
import { type TrainOptions, testFolders, trained } from './trained.js';

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
    const plain = trainedByPeft(place, folder('peft'));
    for (const own of [driver, await trained(folder('embedded'), OPTIONS)]) expectPlain(own, plain);
  });
});
