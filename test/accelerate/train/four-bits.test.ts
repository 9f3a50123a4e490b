/**
 * Bases that bitsandbytes has stored in 4 bits, of architectures that the embedded engine has no graph for: trained as
 * by PEFT in a plain loop of PyTorch over the values that their codes stand for, asked, and merged into these values.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { modelSpec } from '../../../src/compute/accelerate/model-spec.js';
import { openAnyModel } from '../../../src/compute/models/any-model.js';
import { openTensorSource } from '../../../src/compute/models/safetensors/read.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { run } from '../../../src/pipeline/stages/merge/run.js';
import { artefact, contextOf, stageOf } from '../../compute/evaluation/tiny.js';
import { PYTHON, ranks, withPython } from '../python.js';
import { suiteWorker } from '../suite-worker.js';
import { expectPlain, trainedByPeft } from './peft-loop.js';
import { type Trained, type TrainOptions, testFolders, trained } from './trained.js';

const host = nodeHost();
const SCRIPT = join(host.packageFolder, 'test', 'accelerate', 'train', 'make_four_bits.py');
const NAMES = ['olmo2', 'qwen3_moe'] as const;
const IDS = Int32Array.from([1, 17, 4, 35, 33, 33, 60, 8, 2, 11]);

withPython('bases in 4 bits that only transformers knows', () => {
  const folder = testFolders();
  let models = '';
  const worker = suiteWorker(host);
  before(() => {
    models = folder('models');
    execFileSync(PYTHON ?? '', [SCRIPT, models], { stdio: 'pipe' });
  });

  const baseOf = (name: string) => ({ call: 'local', args: { folder: join(models, name, 'base') } });
  const options = (name: string): TrainOptions => ({
    settings: {
      base: baseOf(name),
      lora: { rank: 3, alpha: 6, dropout: 0, targets: 'all_linear' },
      optimizer: { call: 'sgd', args: { rate: 0.05, momentum: 0.9, decay: 0, loraplus_ratio: 1 } },
      precision: 'f32',
    },
    chosen: { rank: 3, alpha: 6 },
  });

  const logitsOf = async (path: string): Promise<Float32Array> => {
    const spec = modelSpec(host, path, { storage: 'stored', dtype: 'float32', attention: 'eager' });
    const model = await worker.open({ label: path, spec, facts: openAnyModel(host, path).facts });
    return model.logits(IDS);
  };

  for (const name of NAMES)
    describe(name, () => {
      let own: Trained;
      it('trains as PEFT does, on one rank and on two that share it', async () => {
        const place = folder(name);
        own = await trained(place, options(name), ranks(1));
        const plain = trainedByPeft(place, folder(`${name}-peft`), join(models, name, 'values'));
        expectPlain(own, plain);
        expectPlain(await trained(folder(`${name}-fsdp`), options(name), ranks(2, 'fsdp')), plain);
      });

      it('has the logits of the values that its codes stand for', async () => {
        const wanted = await logitsOf(join(models, name, 'values'));
        const found = await logitsOf(join(models, name, 'base'));
        const largest = wanted.reduce((most, logit) => Math.max(most, Math.abs(logit)), 0);
        for (const [at, logit] of wanted.entries())
          expect(found[at], `logit ${at}`).to.be.closeTo(logit, 1e-5 * largest);
      });

      it('is merged into these values', async () => {
        const stage = stageOf('merge', 'merged', { base: baseOf(name), dtype: 'f32' });
        const context = contextOf(stage, [], folder('merge'), { engine: ranks(1) });
        await run(context);
        const [merged, wanted] = [join(context.output.path, 'model'), join(models, name, 'values')].map(
          (at) => openTensorSource(host, at),
        );
        expect([...(merged?.keys() ?? [])].sort()).to.deep.equal([...(wanted?.keys() ?? [])].sort());
        for (const [tensor, { entry, file }] of wanted ?? []) {
          const found = merged?.get(tensor);
          expect(found?.entry.shape, tensor).to.deep.equal(entry.shape);
          expect(found && Buffer.compare(found.file.read(found.entry), file.read(entry)), tensor).to.equal(0);
        }
      });

      it('is merged with the adapter that was trained over it', async () => {
        const trainer = stageOf('train', 'adapter', {
          base: baseOf(name),
          dataset: { stage: 'rows', port: 'train' },
        });
        const input = artefact(trainer, own.path(''), { outputs: { last: 'adapter/last' } });
        const adapter = { stage: 'adapter', port: 'last' };
        const stage = stageOf('merge', 'merged', { base: baseOf(name), adapter, dtype: 'f32' });
        const context = contextOf(stage, [input], folder('merge'), { engine: ranks(1) });
        const { metrics } = await run(context);
        expect(metrics['logit_difference']).to.be.at.most(1e-4);
        expect(metrics['base_difference']).to.be.at.least(0.01);
      });
    });
});
