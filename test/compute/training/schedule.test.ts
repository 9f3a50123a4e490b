import { expect } from 'chai';
import { warmupSteps } from '../../../src/compute/training/index.js';
import { rateOf, type ScheduleName } from '../../../src/compute/training/schedule.js';
import { fixtureJson } from './fixture.js';

interface Case {
  readonly schedule: ScheduleName;
  readonly power?: number;
  readonly end?: number;
  readonly cycles?: number;
  readonly warmup: number;
  readonly total: number;
  readonly rate: number;
  readonly rates: readonly number[];
}

describe('schedules', () => {
  for (const { schedule, warmup, total, rate, rates, ...options } of fixtureJson<Case[]>('schedules.json')) {
    it(`${schedule} over ${total} steps with ${warmup} of warm-up gives transformers' rates`, () => {
      const found = rates.map((_, i) =>
        rateOf({ name: schedule, warmupSteps: warmup, ...options }, rate, i + 1, total),
      );
      found.forEach((value, i) => {
        expect(value).to.be.closeTo(rates[i] as number, 1e-18);
      });
    });
  }

  it('starts at 0 with a warm-up and at the full rate without', () => {
    expect(rateOf({ name: 'cosine', warmupSteps: 1 }, 1e-3, 1, 10)).to.equal(0);
    expect(rateOf({ name: 'cosine', warmupSteps: 0 }, 1e-3, 1, 10)).to.equal(1e-3);
  });

  it('rounds a share of warm-up up', () => {
    expect(warmupSteps({ unit: 'ratio', value: 0.03 }, 20)).to.equal(1);
    expect(warmupSteps({ unit: 'ratio', value: 0.15 }, 20)).to.equal(3);
    expect(warmupSteps({ unit: 'ratio', value: 0 }, 20)).to.equal(0);
    expect(warmupSteps({ unit: 'steps', value: 5 }, 20)).to.equal(5);
  });
});
