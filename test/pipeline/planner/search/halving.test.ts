import { expect } from 'chai';
import {
  goingOn,
  meanShare,
  roundsOf,
  rungSteps,
  survivors,
} from '../../../../src/pipeline/planner/search/halving.js';

describe('successive halving', () => {
  it('has rungs at steps that validate, each so many times as far as the one before', () => {
    expect(rungSteps(270, 10, 3, 20)).to.deep.equal([30, 90]);
    expect(rungSteps(270, 10, 3, 27)).to.deep.equal([10, 30, 90]);
    expect(rungSteps(100, 50, 3, 20)).to.deep.equal([]);
    expect(rungSteps(100, 10, 3, 2)).to.deep.equal([]);
  });

  it('lets one in so many go on, and one at least', () => {
    expect([20, 6, 2].map((trials) => survivors(trials, 3))).to.deep.equal([6, 2, 1]);
    expect([...goingOn([3, 1, 2, undefined, 1, 5], 3)].sort()).to.deep.equal([1, 4]);
    expect([...goingOn([undefined, undefined], 3)]).to.deep.equal([]);
  });

  it('trains, on average, what the rounds say', () => {
    const rounds = roundsOf([1 / 9, 1 / 3], 20, 3);
    expect(rounds.map(({ trials }) => trials)).to.deep.equal([20, 6, 2]);
    expect(meanShare(rounds)).to.be.closeTo((20 / 9 + 6 * (2 / 9) + 2 * (2 / 3)) / 20, 1e-12);
    expect(meanShare(roundsOf([], 5, 3))).to.equal(1);
  });
});
