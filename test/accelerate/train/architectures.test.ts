/** Architectures that the embedded engine has no graph for, against PEFT in a plain loop of PyTorch. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import { openSafetensors, openTensorSource } from '../../../src/compute/models/safetensors/read.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { tiny } from '../../compute/evaluation/tiny.js';
import { PYTHON, ranks, withPython } from '../python.js';
import { expectPlain, trainedByPeft } from './peft-loop.js';
import { expectEqual, type TrainOptions, testFolders, trained } from './trained.js';

const SCRIPT = join(nodeHost().packageFolder, 'test', 'accelerate', 'evaluation', 'make_models.py');

const SEEING = join(nodeHost().packageFolder, 'test', 'accelerate', 'train', 'make_seeing.py');

/** Bytes of a folder's tensors by their names, in alphabetical order. */
const tensorsIn = (path: string): Readonly<Record<string, Uint8Array>> =>
  Object.fromEntries(
    [...openTensorSource(nodeHost(), path)]
      .map(([name, { entry, file }]) => [name, file.read(entry)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

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

  const seeing = (name: string, chosen: TrainOptions['chosen']): TrainOptions & { base: string } => {
    const base = join(folder('seeing'), name);
    execFileSync(PYTHON ?? '', [SEEING, base, name], { stdio: 'pipe' });
    const { settings } = options('mixtral');
    return { settings: { ...settings, base: { call: 'local', args: { folder: base } } }, chosen, base };
  };

  // transformers has a causal language model for the first alone
  for (const name of ['gemma3', 'mistral3']) {
    it(`${name} that also sees: factors are over what reads, though what sees has layers of the same names`, async () => {
      const place = folder(name);
      const own = await trained(place, seeing(name, { rank: 3, alpha: 6 }), ranks(1));
      expectPlain(own, trainedByPeft(place, folder(`${name}-peft`)));
      const file = openSafetensors(nodeHost(), own.path('adapter/best/adapter_model.safetensors'));
      const names = [...file.tensors.keys()];
      expect(names.filter((tensor) => !tensor.includes('.language_model.'))).to.deep.equal([]);
      expect(names.some((tensor) => tensor.includes('.q_proj.'))).to.equal(true);
      const card = nodeHost().readText(own.path('adapter/best/README.md'));
      expect(card.includes('AutoModelForImageTextToText')).to.equal(name === 'mistral3');
    });

    it(`${name} that also sees, every weight: what sees stays as it is`, async () => {
      const whole = seeing(name, { method: 'full', rank: 0, alpha: 0 });
      const own = await trained(folder(`${name}-whole`), whole, ranks(1));
      const [before, after] = [tensorsIn(whole.base), tensorsIn(own.path('model/last'))];
      expect(Object.keys(after)).to.deep.equal(Object.keys(before));
      for (const [tensor, bytes] of Object.entries(before))
        expect(isDeepStrictEqual(after[tensor], bytes), tensor).to.equal(/vision|multi_modal/.test(tensor));
    });
  }

  it('mistral3 with a head of its own that its config does not speak of: all ranks have one', async () => {
    const options = seeing('mistral3', { rank: 3, alpha: 6 });
    const path = join(options.base, 'config.json');
    // transformers ties by default; it reads two where the files hold two
    const text = nodeHost()
      .readText(path)
      .replace(/^ {2}"tie_word_embeddings": false,?\n/gm, '');
    writeFileSync(path, text.replace(/,\s*\}\s*$/, '\n}\n'));
    const own = await trained(folder('own-head'), options, ranks(1));
    const shared = await trained(folder('own-head-shared'), options, ranks(2, 'fsdp'));
    expectEqual(shared, own, 'adapter/*/adapter_model.safetensors', { tensors: 2e-5 });
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
