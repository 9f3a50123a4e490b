import { expect } from 'chai';
import { type DataSearch, dataPeak, formatPeak } from '../../../../src/pipeline/planner/memory/rows.js';
import { scratchBytes } from '../../../../src/pipeline/stages/data/scratch.js';

const size = (rows: number) => ({ rows, bytes: 100 * rows, parquet: 0, spooled: 0 });

describe('memory and disk of a data stage', () => {
  const MIB = 2 ** 20;
  const plain = { heldOut: 0 };
  const near = { near: 0.85, heldOut: 0.2 };
  const leaks = { heldOut: 0.2 };
  const planned = (rows: number, search: DataSearch = plain): number =>
    dataPeak(size(rows), search).bytes / MIB;

  it('takes hardly more memory for ten million rows than for one', () => {
    expect(planned(1e7, near)).to.be.within(planned(1e6, near), planned(1e6, near) + 5);
    expect(planned(5e4, near)).to.be.below(planned(1e6, near));
    expect(planned(1e6, near)).to.be.below(300);
  });

  it('takes more of more rows, and more where rows are compared', () => {
    expect(planned(8)).to.be.within(56, 59);
    expect(planned(80)).to.be.within(58, 61);
    expect(planned(80, near)).to.be.within(61, 64);
    expect(planned(20_000)).to.be.within(63, 69);
    for (const rows of [600, 20_000]) {
      expect(planned(rows, leaks)).to.be.above(planned(rows));
      expect(planned(rows, near)).to.be.above(planned(rows, leaks));
    }
  });

  it('remembers the words of some thousand rows that it compares', () => {
    const words = (rows: number): number =>
      dataPeak({ ...size(rows), bytes: 4000 * rows }, leaks).bytes - dataPeak(size(rows), leaks).bytes;
    expect(words(4096)).to.be.above(2 * words(2000));
    expect(words(8000)).to.be.within(words(4096) - 2, words(4096) + 2);
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
    formatPeak(
      {
        ...{ rows, bytes: 4 * ofRow * rows, tokens: ofRow * rows, isInJinja },
        tokenizer: { made: 0, kept: 0 },
      },
      0,
    ).bytes / MIB;

  it('does not grow with the rows, but as code does that runs often', () => {
    expect(planned(8, 60)).to.be.within(65, 68);
    expect(planned(400, 190)).to.be.within(67, 72);
    expect(planned(5000, 190)).to.be.within(70, 75);
    expect(planned(1e7, 190)).to.be.below(planned(1e4, 190) + 12);
  });

  it('has more of rows that Jinja writes', () => {
    expect(planned(2000, 90, true)).to.be.above(planned(2000, 90));
    expect(planned(300, 90, true)).to.be.below(planned(2000, 90, true));
  });
});
