import { expect } from 'chai';
import { importanceOf, ranksOf } from '../../../../src/tools/insight/search/importance.js';

describe('what mattered in a search', () => {
  it('ranks as Spearman does: equal values share their places', () => {
    expect(ranksOf([10, 30, 20, 20])).to.deep.equal([1, 4, 2.5, 2.5]);
  });

  it('finds the matrix that the outcome follows, and says of the other that it may be chance', () => {
    const points = Array.from({ length: 12 }, (_, trial) => ({
      at: { rate: 10 ** -(1 + trial / 4), style: trial % 2 === 0 ? 'a' : 'b' },
      outcome: trial ** 2,
    }));
    const [first, second] = importanceOf(points);
    expect(first).to.include({ matrix: 'rate', rises: false });
    expect(first?.share).to.be.closeTo(1, 1e-12);
    expect(first?.chance).to.be.below(0.01);
    expect(second?.matrix).to.equal('style');
    expect(second?.share).to.be.below(0.1);
    expect(second?.chance).to.be.above(0.3);
  });

  it('takes the variance between choices: eta squared of the ranks', () => {
    const outcomes = [1, 2, 3, 7, 8, 9];
    const points = outcomes.map((outcome, index) => ({ at: { style: index < 3 ? 'a' : 'b' }, outcome }));
    // ranks 1 2 3 | 4 5 6: 13.5 of 17.5
    expect(importanceOf(points)[0]?.share).to.be.closeTo(13.5 / 17.5, 1e-12);
  });

  it('says nothing of too few trials, nor of what was the same in all', () => {
    expect(importanceOf([{ at: { rate: 1 }, outcome: 1 }])).to.deep.equal([]);
    const same = Array.from({ length: 6 }, (_, trial) => ({ at: { rate: 1 }, outcome: trial }));
    expect(importanceOf(same)).to.deep.equal([]);
  });
});
