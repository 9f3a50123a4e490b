import { expect } from 'chai';
import { dataPeak, formatPeak } from '../../../../src/pipeline/planner/memory/peaks.js';
import { scratchBytes } from '../../../../src/pipeline/stages/data/scratch.js';

const size = (rows: number) => ({ rows, bytes: 100 * rows, parquet: 0 });

describe('memory and disk of a data stage', () => {
  const MIB = 2 ** 20;
  const plain = { compares: false, keys: 0 };
  const near = { compares: true, keys: 21 };
  const leaks = { compares: true, keys: 4 };
  const planned = (rows: number, search = plain): number => dataPeak(size(rows), search).bytes / MIB;

  it('takes hardly more memory for ten million rows than for one', () => {
    expect(planned(1e7, near)).to.be.within(planned(1e6, near), planned(1e6, near) + 5);
    expect(planned(5e4, near)).to.be.below(planned(1e6, near));
    expect(planned(1e6, near)).to.be.below(300);
  });

  it('takes more of more rows, and more where rows are compared', () => {
    expect(planned(8)).to.be.within(56, 59);
    expect(planned(80)).to.be.within(58, 61);
    expect(planned(80, near)).to.be.within(61, 64);
    expect(planned(20_000)).to.be.within(67, 75);
    for (const rows of [600, 20_000]) {
      expect(planned(rows, leaks)).to.be.above(planned(rows));
      expect(planned(rows, near)).to.be.above(planned(rows, leaks));
    }
  });

  it('remembers the words of some thousand rows that it compares', () => {
    const more = (rows: number): number => planned(rows, leaks) - planned(rows);
    expect(more(2000)).to.be.above(more(200) + 2);
    expect(more(8000) - more(4096)).to.be.below((more(4096) - more(200)) / 4);
  });

  it('keeps on the disk what is told of rows that do not fit into memory', () => {
    expect(scratchBytes(1e5, 21)).to.equal(0);
    expect(scratchBytes(1e7, 21)).to.equal(1e7 * (120 + 4 * 21));
    expect(scratchBytes(1e7, 0)).to.be.below(scratchBytes(1e7, 21));
  });
});

describe('memory of a format stage', () => {
  const MIB = 2 ** 20;
  const planned = (rows: number, ofRow: number, isInJinja = false): number =>
    formatPeak({ rows, pieces: rows, tokens: ofRow * rows, isInJinja, tokenizer: { made: 0, kept: 0 } }, 0)
      .bytes / MIB;

  it('does not grow with the rows, but as code does that runs often', () => {
    expect(planned(8, 60)).to.be.within(60, 62);
    expect(planned(400, 190)).to.be.within(66, 71);
    expect(planned(5000, 190)).to.be.within(70, 75);
    expect(planned(1e7, 190)).to.be.below(planned(1e4, 190) + 12);
  });

  it('has more of rows that Jinja writes, and of long ones', () => {
    expect(planned(2000, 90, true)).to.be.above(planned(2000, 90) + 4);
    expect(planned(2000, 800)).to.be.above(planned(2000, 90) + 5);
  });
});
