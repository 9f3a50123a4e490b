/**
 * Bases that bitsandbytes has stored in 4 bits, asked and merged on ranks: the values of
 * test/fixtures/nf4/record_checkpoint.py.
 */
import { join } from 'node:path';
import { expect } from 'chai';
import { modelSpec } from '../../../src/compute/accelerate/model-spec.js';
import { openAnyModel } from '../../../src/compute/models/any-model.js';
import { openSafetensors, type SafetensorsFile } from '../../../src/compute/models/safetensors/read.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { run } from '../../../src/pipeline/stages/merge/run.js';
import { contextOf, scratch, stageOf } from '../../compute/evaluation/tiny.js';
import { fixturePath } from '../../compute/training/fixture.js';
import { ranks, withPython } from '../python.js';
import { suiteWorker } from '../suite-worker.js';

/** Of the largest logit. */
const NEAR = 1e-5;

withPython('bases in 4 bits in PyTorch', () => {
  const host = nodeHost();
  const place = scratch();
  const worker = suiteWorker(host);
  after(() => place.remove());

  const bytesOf = (file: SafetensorsFile, name: string): Uint8Array => {
    const entry = file.tensors.get(name);
    return entry === undefined ? expect.fail(`${name} is not there`) : file.read(entry).slice();
  };

  for (const name of ['double', 'single', 'gpt2']) {
    const folder = fixturePath(`../nf4/${name}`);
    const recorded = openSafetensors(host, `${folder}.safetensors`);
    it(`${name}: has the logits of the values that its codes stand for`, async () => {
      const { facts } = openAnyModel(host, folder);
      const spec = modelSpec(host, folder, { storage: 'stored', dtype: 'float32', attention: 'eager' });
      const model = await worker.open({ label: name, spec, facts });
      const wanted = new Float32Array(bytesOf(recorded, 'logits').buffer);
      const found = await model.logits(new Int32Array(bytesOf(recorded, 'ids').buffer));
      const largest = wanted.reduce((most, logit) => Math.max(most, Math.abs(logit)), 0);
      for (const [at, logit] of wanted.entries())
        expect(found[at], `logit ${at}`).to.be.closeTo(logit, NEAR * largest);
    });

    it(`${name}: is merged into these values`, async () => {
      const stage = stageOf('merge', 'merged', { base: { call: 'local', args: { folder } }, dtype: 'f32' });
      const context = contextOf(stage, [], join(place.path, name), { engine: ranks(1) });
      const { metrics } = await run(context);
      expect(metrics['logit_difference']).to.be.at.most(1e-4);
      const merged = openSafetensors(host, join(context.output.path, 'model/model.safetensors'));
      for (const tensor of recorded.tensors.keys())
        if (tensor.endsWith('.weight'))
          expect(Buffer.compare(bytesOf(merged, tensor), bytesOf(recorded, tensor)), tensor).to.equal(0);
    });
  }
});
