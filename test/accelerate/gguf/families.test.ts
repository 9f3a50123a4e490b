/**
 * GGUF files of every family that the embedded engine has, asked in PyTorch: the logits of
 * test/fixtures/gguf/record_families.py.
 */
import { join } from 'node:path';
import { expect } from 'chai';
import { modelSpec } from '../../../src/compute/accelerate/model-spec.js';
import { openAnyModel } from '../../../src/compute/models/any-model.js';
import { openSafetensors } from '../../../src/compute/models/safetensors/read.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { fixturePath } from '../../compute/training/fixture.js';
import { withPython } from '../python.js';
import { suiteWorker } from '../suite-worker.js';

/** Of the largest logit. */
const NEAR = 1e-5;

withPython('GGUF files of every family in PyTorch', () => {
  const host = nodeHost();
  const folder = fixturePath('../gguf/families');
  const recorded = openSafetensors(host, join(folder, 'logits.safetensors'));
  const valuesOf = (name: string): Uint8Array => {
    const entry = recorded.tensors.get(name);
    return entry === undefined ? expect.fail(name) : recorded.read(entry).slice();
  };
  const ids = new Int32Array(valuesOf('ids').buffer);
  const worker = suiteWorker(host);

  for (const file of host.list(folder).filter((name) => name.endsWith('.gguf')))
    it(file, async () => {
      const path = join(folder, file);
      const { facts } = openAnyModel(host, path);
      const spec = modelSpec(host, path, { storage: 'stored', dtype: 'float32', attention: 'eager' });
      const model = await worker.open({ label: file, spec, facts });
      const wanted = new Float32Array(valuesOf(`${file.replace('.gguf', '')}.logits`).buffer);
      const found = await model.logits(ids);
      const largest = wanted.reduce((most, logit) => Math.max(most, Math.abs(logit)), 0);
      const worst = wanted.reduce(
        (most, logit, at) => Math.max(most, Math.abs(logit - (found[at] ?? Number.NaN))),
        0,
      );
      expect(found.length).to.equal(wanted.length);
      expect(worst).to.be.at.most(NEAR * largest);
    });
});
