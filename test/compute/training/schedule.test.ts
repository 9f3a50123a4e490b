import { expect } from 'chai';
import { stepsIn } from '../../../src/compute/training/index.js';
import {
  type DecayShape,
  type Plateau,
  rateOf,
  type ScheduleName,
} from '../../../src/compute/training/schedule.js';
import { fixtureJson } from './fixture.js';

interface Case {
  readonly schedule: ScheduleName;
  readonly power?: number;
  readonly end?: number;
  readonly cycles?: number;
  readonly min?: number;
  readonly decaySteps?: number;
  readonly shape?: DecayShape;
  readonly warmup: number;
  readonly total: number;
  readonly rate: number;
  readonly rates: readonly number[];
}

interface PlateauCase extends Plateau {
  readonly min: number;
  readonly rate: number;
  readonly losses: readonly number[];
  readonly rates: readonly number[];
}

describe('schedules', () => {
  for (const { schedule, warmup, total, rate, rates, ...options } of fixtureJson<Case[]>('schedules.json')) {
    const more = Object.entries(options).map(([name, value]) => `${name} ${value}`);
    it(`${[schedule, ...more].join(', ')} over ${total} steps with ${warmup} of warm-up gives transformers' rates`, () => {
      const found = rates.map((_, i) =>
        rateOf({ name: schedule, warmupSteps: warmup, ...options }, rate, { step: i + 1, total }),
      );
      found.forEach((value, i) => {
        expect(value).to.be.closeTo(rates[i] as number, 1e-18);
      });
    });
  }

  for (const { rate, rates, losses, min, ...plateau } of fixtureJson<PlateauCase[]>('plateaus.json')) {
    it(`falls by ${plateau.factor} after ${plateau.patience} validations without a better loss, as PyTorch's does`, () => {
      const schedule = { name: 'reduce_on_plateau', warmupSteps: 0, min, plateau } as const;
      const found = rates.map((_, i) =>
        rateOf(schedule, rate, { step: i + 1, total: 100, losses: losses.slice(0, i) }),
      );
      found.forEach((value, i) => {
        expect(value).to.be.closeTo(rates[i] as number, 1e-18);
      });
    });
  }

  it('starts at 0 with a warm-up and at the full rate without', () => {
    expect(rateOf({ name: 'cosine', warmupSteps: 1 }, 1e-3, { step: 1, total: 10 })).to.equal(0);
    expect(rateOf({ name: 'cosine', warmupSteps: 0 }, 1e-3, { step: 1, total: 10 })).to.equal(1e-3);
  });

  it('rounds a share of warm-up up', () => {
    expect(stepsIn({ unit: 'ratio', value: 0.03 }, 20)).to.equal(1);
    expect(stepsIn({ unit: 'ratio', value: 0.15 }, 20)).to.equal(3);
    expect(stepsIn({ unit: 'ratio', value: 0 }, 20)).to.equal(0);
    expect(stepsIn({ unit: 'steps', value: 5 }, 20)).to.equal(5);
  });
});
