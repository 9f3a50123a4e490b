import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { quantiseInThreads } from '../../../../src/pipeline/run/threads/quantise-in-threads.js';
import { openResolved } from '../../../../src/pipeline/stages/open-models.js';
import { quantisedBase } from '../../../../src/pipeline/stages/train/quantised-base.js';

const starter = join(nodeHost().packageFolder, 'stdlib', 'models', 'starter');
const cwd = process.cwd();

describe('a base that threads quantise', () => {
  for (const base of [{ folder: starter }, { folder: starter, seed: 7 }])
    it(`is that which one would, ${base.seed === undefined ? 'of a file' : 'of fresh weights'}`, async () => {
      const model = openResolved(nodeHost(), base);
      const done = await quantisedBase(
        model,
        async () => quantiseInThreads({ cwd, base, shared: false }, 2),
        0,
      );
      const names = model.toQuantise().map(({ name }) => name);
      expect(names.length).to.equal(6 * 7);
      expect([...(done?.keys() ?? [])].sort()).to.deep.equal(names.toSorted());
      for (const name of names) expect(done?.get(name), name).to.deep.equal(model.quantise(name));
      const [once, alone] = [model.loadWeights('nf4', { quantised: done }), model.loadWeights('nf4')];
      expect(once.residentBytes).to.equal(alone.residentBytes);
      for (const name of names) {
        const [a, b] = [once.get(name), alone.get(name)].map(({ shape, dequantise }) => {
          const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
          dequantise(values);
          return values;
        });
        expect(a, name).to.deep.equal(b);
      }
    });

  it('is left to the training where a thread fails', async () => {
    const model = openResolved(nodeHost(), { folder: starter });
    const base = { folder: join(starter, 'nowhere') };
    const done = await quantisedBase(
      model,
      async () => quantiseInThreads({ cwd, base, shared: false }, 2),
      0,
    );
    expect(done?.size).to.equal(0);
  });

  it('starts no threads for a small one', async () => {
    const model = openResolved(nodeHost(), { folder: starter });
    const done = await quantisedBase(model, () => Promise.reject(new Error('started')));
    expect(done).to.equal(undefined);
  });
});
