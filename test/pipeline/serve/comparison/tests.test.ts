import { expect } from 'chai';
import { effectiveCount, estimate } from '../../../../src/pipeline/serve/comparison/estimates.js';
import {
  alwaysValid,
  newcombe,
  normalTail,
  pooledVariance,
  wilson,
  zTest,
} from '../../../../src/pipeline/serve/comparison/tests.js';
import { randoms } from '../request-lines.js';

/** From statsmodels 0.15: proportions_ztest, confint_proportions_2indep(method='newcomb'), proportion_confint('wilson') of a. */
const SHARES = [
  {
    a: [9, 10],
    b: [2, 10],
    p: 0.0016536951637003397,
    difference: [-0.865179666083185, -0.26582660970088606],
    of: [0.5958499732047614, 0.982123786904927],
  },
  {
    a: [120, 1000],
    b: [150, 1000],
    p: 0.04964038686536878,
    difference: [1.3782434204051563e-5, 0.06000825857012657],
    of: [0.10129926060130912, 0.1416090758488716],
  },
  {
    a: [0, 50],
    b: [3, 60],
    p: 0.10890129793272194,
    difference: [-0.02854702483316282, 0.1370051647634852],
    of: [0, 0.07134759913335874],
  },
  {
    a: [4, 5],
    b: [0, 7],
    p: 0.003752210100873843,
    difference: [-0.9637758913675698, -0.2470796551533082],
    of: [0.3755346297625252, 0.9637758913675698],
  },
  {
    a: [56, 70],
    b: [48, 80],
    p: 0.00804508136819656,
    difference: [-0.33387265403690614, -0.05243147240236498],
    of: [0.6918335550374695, 0.8769526075163705],
  },
] as const;

/** statsmodels 0.15: OLS on a constant, cov_type='cluster' without its correction, times 12/11. */
const CLUSTERED = {
  values: [
    2.041, -1.556, 1.418, 1.432, 1.547, 1.784, -2.02, -0.232, -0.865, 3.323, 1.226, 1.647, 1.719, -0.668,
    -1.055, -0.391, 1.482, 0.761, 1.958, 0.8, 2.024, 1.546, 0.545, 0.495, 0.817, 1.541, 3.935, 1.73, 1.756,
    3.002,
  ],
  users: [0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7, 8, 9, 9, 10, 10, 10, 11, 11, 11, 11],
  mean: 1.0580666666666665,
  variance: 0.11429184210101008,
} as const;

describe('tests of differences', () => {
  it('are those of statsmodels for shares', () => {
    for (const { a, b, p, difference, of } of SHARES) {
      const one = { share: a[0] / a[1], count: a[1] };
      const other = { share: b[0] / b[1], count: b[1] };
      const found = newcombe(one, other);
      expect(found.low).to.be.closeTo(difference[0], 1e-9);
      expect(found.high).to.be.closeTo(difference[1], 1e-9);
      expect(wilson(one).low).to.be.closeTo(of[0], 1e-9);
      expect(wilson(one).high).to.be.closeTo(of[1], 1e-9);
      expect(zTest(other.share - one.share, pooledVariance(one, other))).to.be.closeTo(p, 1e-6 * p);
    }
    for (const [z, tail] of [
      [0, 0.5],
      [0.5, 0.3085375387259869],
      [1.96, 0.024997895148220435],
      [6, 9.865876450376946e-10],
    ] as const)
      expect(normalTail(z)).to.be.closeTo(tail, 2e-7 * tail);
  });

  it('take the variance between users, as statsmodels does', () => {
    const { values, users, mean, variance } = CLUSTERED;
    const sums = Array.from({ length: 12 }, (_, user) => {
      const own = values.filter((_value, index) => users[index] === user);
      return { sum: own.reduce((sum, value) => sum + value, 0), count: own.length };
    });
    const found = estimate([...sums, { sum: 0, count: 0 }]);
    expect(found.mean).to.be.closeTo(mean, 1e-12);
    expect(found.variance).to.be.closeTo(variance, 1e-12);
    expect(found).to.include({ count: 30, groups: 12 });
  });

  it('count requests of one user that are alike as one', () => {
    const alike = estimate(Array.from({ length: 40 }, (_, user) => ({ sum: user % 2 ? 10 : 0, count: 10 })));
    expect(alike.count).to.equal(400);
    expect(effectiveCount(alike)).to.be.closeTo(39, 1e-9);
    const apart = estimate(Array.from({ length: 40 }, (_, user) => ({ sum: user % 2, count: 1 })));
    expect(effectiveCount(apart)).to.be.closeTo(39, 1e-9);
    expect(
      effectiveCount(
        estimate([
          { sum: 0, count: 5 },
          { sum: 0, count: 5 },
        ]),
      ),
    ).to.equal(10);
  });

  it('are wrong in 5 % at most although one looks all the time, and find what there is', () => {
    const random = randoms(7);
    /** Whether the tests find a difference at any of 60 looks; each look after 50 more requests of either. */
    const looks = (shareOfB: number): { readonly valid: boolean; readonly naive: boolean } => {
      let [a, b, count] = [0, 0, 0];
      const found = { valid: false, naive: false };
      for (let look = 0; look < 60; look++) {
        for (let each = 0; each < 50; each++) {
          a += Number(random() < 0.3);
          b += Number(random() < shareOfB);
          count++;
        }
        const variance = pooledVariance({ share: a / count, count }, { share: b / count, count });
        found.valid ||= alwaysValid((b - a) / count, variance, 0.05) < 0.05;
        found.naive ||= zTest((b - a) / count, variance) < 0.05;
      }
      return found;
    };
    const same = Array.from({ length: 300 }, () => looks(0.3));
    expect(same.filter(({ valid }) => valid).length).to.be.at.most(15);
    expect(same.filter(({ naive }) => naive).length).to.be.at.least(60);
    const other = Array.from({ length: 30 }, () => looks(0.38));
    expect(other.filter(({ valid }) => valid).length).to.be.at.least(27);
  });
});
