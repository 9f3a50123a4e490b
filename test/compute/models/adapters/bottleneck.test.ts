import { expect } from 'chai';
import { bottleneckSize } from '../../../../src/compute/models/adapters/bottleneck.js';
import type { BottleneckConfig } from '../../../../src/compute/models/adapters/config.js';
import { initAdapter } from '../../../../src/compute/models/adapters/kinds.js';
import { bottleneckFixture } from '../decoder/bottleneck-fixture.js';

const { config: model } = bottleneckFixture('llama-houlsby');
const adapter: BottleneckConfig = {
  ...{ kind: 'bottleneck', reduction: 4, places: ['attention', 'mlp'], activation: 'silu' },
  ...{ reads: 'output', scale: 1, dropout: 0 },
};
const spread = (data: Float32Array): number =>
  Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);

describe('fresh bottleneck adapters', () => {
  it('are as wide as the quotient without its fraction, and never less than 1', () => {
    // as Python's `int(hidden // reduction)`, also where the quotient is rounded up to a whole number
    expect(
      [
        [768, 16],
        [768, 100],
        [16, 0.5],
        [1, 0.1],
        [16, 64],
      ].map(([hidden = 0, reduction = 1]) => bottleneckSize(hidden, reduction)),
    ).to.deep.equal([48, 7, 32, 9, 1]);
  });

  it('begin as in the library, with biases of 0', () => {
    for (const init of ['bert', 'mam_adapter'] as const) {
      const { tensors } = initAdapter(model, adapter, { seed: 7, init });
      expect([...tensors.keys()].sort()).to.deep.equal(
        Object.keys(bottleneckFixture('llama-houlsby').recording.adapter.tensors).sort(),
      );
      for (const [name, { shape, data }] of tensors) {
        const [rows = 0, columns = 0] = shape;
        if (columns === 0 || (init === 'mam_adapter' && name.includes('adapter_up')))
          expect(Math.max(...data.map(Math.abs)), name).to.equal(0);
        else if (init === 'bert') expect(spread(data) / 0.02, name).to.be.within(0.7, 1.3);
        else {
          const bound = 1 / Math.sqrt(columns);
          expect(Math.max(...data.map(Math.abs)), name).to.be.within(0.8 * bound, bound);
        }
        expect(data.length).to.equal(rows * (columns || 1));
      }
      const again = initAdapter(model, adapter, { seed: 7, init });
      expect([...again.tensors]).to.deep.equal([...tensors]);
      expect([...initAdapter(model, adapter, { seed: 8, init }).tensors]).to.not.deep.equal([...tensors]);
    }
  });
});
