import { expect } from 'chai';
import { freshState, type Validation } from '../../../src/compute/training/state.js';
import { repeats, takeIn, validatesAt } from '../../../src/compute/training/validation.js';

describe('validations of a training', () => {
  const measured = (step: number, loss: number, share = 0, f1 = 0): Validation => ({
    ...{ step, loss, metrics: { f1 } },
    repetition: { share, usual: 0, tooMuch: share > 0.3 },
  });

  it('come every so many steps, or with each checkpoint', () => {
    expect(validatesAt(6, { every: 3 })).to.equal(true);
    expect(validatesAt(6, { every: 3, validateEvery: 4 })).to.equal(false);
  });

  it('are best by the loss, or by a metric of which more is better', () => {
    const byLoss = freshState();
    expect(
      [measured(1, 2), measured(2, 1), measured(3, 1)].map((each) => takeIn(byLoss, each, {})),
    ).to.deep.equal([true, true, false]);
    const byMetric = freshState();
    const settings = { best: { metric: 'f1', higherIsBetter: true } };
    const all = [measured(1, 1, 0, 0.2), measured(2, 2, 0, 0.4), measured(3, 0, 0, 0.4)];
    expect(all.map((each) => takeIn(byMetric, each, settings))).to.deep.equal([true, true, false]);
    expect([byMetric.best?.step, byMetric.stale]).to.deep.equal([2, 1]);
  });

  it('are never best, and end a training the second time, where answers repeat themselves', () => {
    const state = freshState();
    const settings = { every: 1, totalSteps: 9, endsRepeating: true };
    const bests = [measured(1, 3), measured(2, 2, 0.9)].map((each) => takeIn(state, each, settings));
    expect(bests).to.deep.equal([true, false]);
    expect(repeats(state, settings)).to.equal(false);
    expect(repeats({ ...state, step: 9 }, settings)).to.equal(true);
    takeIn(state, measured(3, 1, 0.9), settings);
    expect(repeats(state, settings)).to.equal(true);
    expect(repeats(state, { ...settings, endsRepeating: false })).to.equal(false);
    expect(state.best?.step).to.equal(1);
  });
});
