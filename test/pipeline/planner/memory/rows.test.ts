import { expect } from 'chai';
import { dataPeak, formatPeak } from '../../../../src/pipeline/planner/memory/peaks.js';
import { scratchBytes } from '../../../../src/pipeline/stages/data/scratch.js';

const size = (rows: number) => ({ rows, bytes: 100 * rows, parquet: 0 });

describe('memory and disk of a data stage', () => {
  const MIB = 2 ** 20;
  const plain = { near: false, splits: false };
  const near = { near: true, splits: false };
  const planned = (rows: number, search = plain): number => dataPeak(size(rows), search).bytes / MIB;

  it('takes as much memory for ten million rows as for one, and more than for some', () => {
    expect(planned(1e7, near)).to.equal(planned(1e6, near));
    expect(planned(5e4, near)).to.be.below(planned(1e6, near));
    expect(planned(1e6, near)).to.be.below(300);
  });

  it('takes less before many rows have passed, and more where rows are compared', () => {
    expect(planned(8)).to.be.within(56, 59);
    expect(planned(80)).to.be.within(58, 61);
    expect(planned(80, near)).to.be.within(61, 64);
    expect(planned(600, near)).to.be.within(66, 72);
    expect(planned(600, { near: true, splits: true })).to.be.above(planned(600, near));
  });

  it('has little room for garbage until much has outlived collections', () => {
    expect(planned(6000) - planned(5000)).to.be.below(2);
    expect(planned(8500) - planned(6500)).to.be.above(8);
    expect(planned(20_000)).to.be.within(90, 102);
  });

  it('remembers the words of some thousand rows that it compares', () => {
    const more = (rows: number): number => planned(rows, near) - planned(rows);
    expect(more(2000)).to.be.above(more(200) + 2);
    expect(more(100_000)).to.be.closeTo(more(50_000), 0.5);
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
