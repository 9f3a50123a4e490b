import { expect } from 'chai';
import { dataPeak, formatPeak } from '../../../../src/pipeline/planner/memory/peaks.js';
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

describe('memory of a format stage', () => {
  const MIB = 2 ** 20;
  const planned = (rows: number, ofRow: number, messages: number): number =>
    formatPeak({ rows, tokens: ofRow * rows, messages, tokenizer: { made: 0, kept: 0 } }, 0).bytes / MIB;

  it('has little to collect of few rows, and no more of very many than V8 gives room for', () => {
    expect(planned(8, 60, 2)).to.be.within(69, 72);
    expect(planned(400, 190, 0)).to.be.within(73, 78);
    expect(planned(5000, 190, 0)).to.be.within(105, 120);
    const kept = (rows: number): number => planned(rows, 190, 2) - (700 * rows) / MIB;
    expect(kept(100_000)).to.be.closeTo(kept(20_000), 1e-3);
  });

  it('has more of rows that a chat template writes, and of long ones', () => {
    expect(planned(2000, 90, 2)).to.be.above(planned(2000, 90, 0) + 4);
    expect(planned(2000, 190, 0)).to.be.above(planned(2000, 90, 0) + 4);
  });
});
