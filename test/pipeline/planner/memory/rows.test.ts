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

  it('takes less before many rows have passed, and more where rows are compared', () => {
    const MIB = 2 ** 20;
    const [few, some] = [8, 80].map((rows) => dataPeak(size(rows), false).bytes / MIB) as [number, number];
    expect(few).to.be.within(56, 59);
    expect(some).to.be.within(59, 61);
    expect(dataPeak(size(30), true).bytes / MIB).to.be.within(59.5, 62.5);
    expect(dataPeak(size(600), true).bytes / MIB).to.be.within(66, 72);
  });

  it('keeps on the disk what is told of rows that do not fit into memory', () => {
    expect(scratchBytes(1e5, 21)).to.equal(0);
    expect(scratchBytes(1e7, 21)).to.equal(1e7 * (120 + 4 * 21));
    expect(scratchBytes(1e7, 0)).to.be.below(scratchBytes(1e7, 21));
  });
});
