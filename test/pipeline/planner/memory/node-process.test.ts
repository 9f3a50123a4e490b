import { expect } from 'chai';
import { nodeBytes } from '../../../../src/pipeline/planner/memory/node-process.js';

describe('the process of Node', () => {
  for (const work of ['tensors', 'data', 'format'] as const) {
    it(`takes nothing more than on Node 20, which all was measured with (${work})`, () => {
      expect(nodeBytes('20.20.2', work)).to.equal(0);
      expect(nodeBytes('18.0.0', work)).to.equal(0);
    });

    it(`takes more on newer lines, and on those without a figure what the line before took (${work})`, () => {
      expect(nodeBytes('22.23.5', work)).to.be.within(4e6, 16e6).and.equal(nodeBytes('23.1.0', work));
      expect(nodeBytes('24.22.3', work))
        .to.be.greaterThan(nodeBytes('22.0.0', work))
        .and.equal(nodeBytes('26.0.0', work));
    });
  }
});
