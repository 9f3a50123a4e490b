import { expect } from 'chai';
import { dataPeak } from '../../../../src/pipeline/planner/memory/peaks.js';
import { scratchBytes } from '../../../../src/pipeline/stages/data/scratch.js';

const size = (rows: number) => ({ rows, bytes: 100 * rows, parquet: 0 });

describe('memory and disk of a data stage', () => {
  it('takes as much memory for ten million rows as for one, and more than for some', () => {
    const million = dataPeak(size(1e6), true);
    expect(dataPeak(size(1e7), true)).to.deep.equal(million);
    expect(dataPeak(size(5e4), true).bytes).to.be.below(million.bytes);
    expect(million.bytes).to.be.below(300 * 2 ** 20);
  });

  it('keeps on the disk what is told of rows that do not fit into memory', () => {
    expect(scratchBytes(1e5, 21)).to.equal(0);
    expect(scratchBytes(1e7, 21)).to.equal(1e7 * (120 + 4 * 21));
    expect(scratchBytes(1e7, 0)).to.be.below(scratchBytes(1e7, 21));
  });
});
