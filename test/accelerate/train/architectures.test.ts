/** Architectures that the embedded engine has no graph for, against PEFT in a plain loop of PyTorch. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { openSafetensors, openTensorSource } from '../../../src/compute/models/safetensors/read.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { tiny } from '../../compute/evaluation/tiny.js';
import { PYTHON, ranks, withPython } from '../python.js';
import { expectPlain, trainedByPeft } from './peft-loop.js';
import { expectEqual, type TrainOptions, testFolders, trained } from './trained.js';

const SCRIPT = join(nodeHost().packageFolder, 'test', 'accelerate', 'evaluation', 'make_models.py');

const SEEING = join(nodeHost().packageFolder, 'test', 'accelerate', 'train', 'make_seeing.py');

/** Those that are shared, too. */
const NAMES: Readonly<Record<string, boolean>> = {
  mixtral: true,
  qwen3_moe: false,
  olmo2: false,
  falcon: true,
  gemma3_text: false,
  gpt_oss: false,
};

withPython('LoRA over architectures that only transformers knows', () => {
  const folder = testFolders();
  let models = '';
  before(() => {
    models = folder('models');
    execFileSync(PYTHON ?? '', [SCRIPT, models, join(tiny, 'base')], { stdio: 'pipe' });
  });

  const options = (name: string): TrainOptions => ({
    settings: {
      base: { call: 'local', args: { folder: join(models, name, 'base') } },
      lora: { rank: 3, alpha: 6, dropout: 0, targets: 'all_linear' },
      optimizer: { call: 'sgd', args: { rate: 0.05, momentum: 0.9, decay: 0, loraplus_ratio: 1 } },
      precision: 'f32',
    },
    chosen: { rank: 3, alpha: 6 },
  });

  for (const [name, isShared] of Object.entries(NAMES))
    it(`${name}: is what PEFT trains, on one rank${isShared ? ' and on two that share it' : ''}`, async () => {
      const place = folder(name);
      const own = await trained(place, options(name), ranks(1));
      const plain = trainedByPeft(place, folder(`${name}-peft`));
      expectPlain(own, plain);
      if (isShared)
        expectPlain(await trained(folder(`${name}-fsdp`), options(name), ranks(2, 'fsdp')), plain);
    });

  // transformers has a causal language model for the first alone
  for (const name of ['gemma3', 'mistral3'])
    it(`${name} that also sees: factors are over what reads, though what sees has layers of the same names`, async () => {
      const base = folder(`seeing-${name}`);
      execFileSync(PYTHON ?? '', [SEEING, base, name], { stdio: 'pipe' });
      const { settings, chosen } = options('mixtral');
      const seeing: TrainOptions = {
        settings: { ...settings, base: { call: 'local', args: { folder: base } } },
        chosen,
      };
      const place = folder(name);
      const own = await trained(place, seeing, ranks(1));
      expectPlain(own, trainedByPeft(place, folder(`${name}-peft`)));
      const file = openSafetensors(nodeHost(), own.path('adapter/best/adapter_model.safetensors'));
      const names = [...file.tensors.keys()];
      expect(names.filter((tensor) => !tensor.includes('.language_model.'))).to.deep.equal([]);
      expect(names.some((tensor) => tensor.includes('.q_proj.'))).to.equal(true);
      const card = nodeHost().readText(own.path('adapter/best/README.md'));
      expect(card.includes('AutoModelForImageTextToText')).to.equal(name === 'mistral3');
    });

  it('mixtral, every weight: files have the names that the base has, and transformers reads them', async () => {
    const whole: TrainOptions = {
      ...options('mixtral'),
      chosen: { method: 'full', rank: 0, alpha: 0 },
    };
    const own = await trained(folder('mixtral-whole'), whole, ranks(1));
    const namesIn = (path: string): readonly string[] =>
      [...openTensorSource(nodeHost(), path).keys()].sort();
    const base = namesIn(join(models, 'mixtral', 'base'));
    expect(base.some((name) => name.includes('.block_sparse_moe.experts.'))).to.equal(true);
    for (const state of ['best', 'last']) expect(namesIn(own.path(`model/${state}`))).to.deep.equal(base);
    const script =
      'import sys; from transformers import AutoModelForCausalLM as M; M.from_pretrained(sys.argv[1])';
    execFileSync(PYTHON ?? '', ['-c', script, own.path('model/best')], { stdio: 'pipe' });
    const shared = await trained(folder('mixtral-shared'), whole, ranks(2, 'fsdp'));
    expectEqual(shared, own, 'model/*/model.safetensors', { tensors: 2e-5 });
  });
});
