/** GGUF files of architectures that the embedded engine has no graph for, against the folders that they were made from. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { modelSpec } from '../../../src/compute/accelerate/model-spec.js';
import { openAnyModel } from '../../../src/compute/models/any-model.js';
import { openTensorSource } from '../../../src/compute/models/safetensors/read.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { run } from '../../../src/pipeline/stages/merge/run.js';
import { contextOf, scratch, stageOf, tiny } from '../../compute/evaluation/tiny.js';
import { PYTHON, ranks, withPython } from '../python.js';
import { suiteWorker } from '../suite-worker.js';
import { apart, lossesOf, type TrainOptions, testFolders, trained } from '../train/trained.js';

/** Names of architectures in GGUF: `llama` is Mixtral here. */
const NAMES = ['llama', 'olmo2', 'qwen2moe', 'qwen3moe', 'stablelm', 'starcoder2'] as const;

const ADAPTER = 'adapter/last/adapter_model.safetensors';

withPython('GGUF files without a graph', () => {
  const place = scratch();
  const folder = testFolders();
  const host = nodeHost();
  const worker = suiteWorker(host);

  before(() => {
    const script = join(host.packageFolder, 'test', 'accelerate', 'gguf', 'make_models.py');
    execFileSync(PYTHON ?? '', [script, place.path, join(tiny, 'base')], { stdio: 'pipe' });
  });
  after(() => place.remove());

  const baseOf = (name: string, kind: 'gguf' | 'folder') =>
    kind === 'gguf'
      ? { call: 'gguf', args: { file: join(place.path, name, 'model.gguf') } }
      : { call: 'local', args: { folder: join(place.path, name, 'base') } };

  const opened = (name: string, kind: 'gguf' | 'folder') => {
    const path = join(place.path, name, kind === 'gguf' ? 'model.gguf' : 'base');
    const { facts } = openAnyModel(host, path);
    const spec = modelSpec(host, path, { storage: 'stored', dtype: 'float32', attention: 'sdpa' });
    return worker.open({ label: `${name} (${kind})`, spec, facts });
  };

  for (const name of NAMES)
    it(`${name}: answers as the folder does`, async () => {
      const prompts = ['What is MIT?', 'A'].map((text) => Int32Array.from(Buffer.from(text)));
      const told = async (kind: 'gguf' | 'folder') => {
        const model = await opened(name, kind);
        const answers = await model.generate(prompts, { maxTokens: 8, stopIds: [258] });
        const [first = new Int32Array(0)] = prompts;
        return { answers: answers.map(({ ids }) => ids), logits: await model.logits(first) };
      };
      const [folderSays, fileSays] = [await told('folder'), await told('gguf')];
      expect(fileSays.answers).to.deep.equal(folderSays.answers);
      expect([...fileSays.logits]).to.deep.equal([...folderSays.logits]);
    });

  const merged = async (name: string) => {
    const stage = stageOf('merge', 'merged', { base: baseOf(name, 'gguf'), dtype: 'f32' });
    const context = contextOf(stage, [], join(place.path, `merge-${name}`), { engine: ranks(1) });
    await run(context);
    return join(context.output.path, 'model');
  };

  for (const name of NAMES)
    it(`${name}: is written as the folder has it`, async () => {
      const [own, wanted] = [await merged(name), join(place.path, name, 'base')].map((at) =>
        openTensorSource(host, at),
      );
      expect([...(own?.keys() ?? [])].sort()).to.deep.equal([...(wanted?.keys() ?? [])].sort());
      for (const [tensor, { entry, file }] of wanted ?? []) {
        const found = own?.get(tensor);
        expect(found?.entry.shape, tensor).to.deep.equal(entry.shape);
        expect(found && Buffer.compare(found.file.read(found.entry), file.read(entry)), tensor).to.equal(0);
      }
    });

  const options = (base: object, more: Partial<TrainOptions> = {}): TrainOptions => ({
    ...more,
    settings: {
      base: base as NonNullable<TrainOptions['settings']>['base'],
      lora: { rank: 3, alpha: 6, dropout: 0, targets: 'all_linear' },
      optimizer: { call: 'sgd', args: { rate: 0.1, momentum: 0.9, decay: 0, loraplus_ratio: 1 } },
      precision: 'f32',
    },
    chosen: { rank: 3, alpha: 6, ...more.chosen },
  });

  const CASES = [
    ['qwen3moe', 'one rank', ranks(1), {}],
    ['llama', 'two ranks, fsdp', ranks(2, 'fsdp'), {}],
    ['starcoder2', 'one rank, qlora', ranks(1), { chosen: { method: 'qlora' } }],
  ] as const;
  for (const [name, how, engine, more] of CASES)
    it(`${name}: trains as the folder does, on ${how}`, async () => {
      const [wanted, found] = [
        await trained(folder(name), options(baseOf(name, 'folder'), more), engine),
        await trained(folder(name), options(baseOf(name, 'gguf'), more), engine),
      ];
      expect(lossesOf(found).length).to.be.greaterThan(5);
      expect(lossesOf(found)).to.deep.equal(lossesOf(wanted));
      expect(apart(wanted.path(ADAPTER), found.path(ADAPTER))).to.equal(0);
    });
});
