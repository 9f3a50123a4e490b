import { expect } from 'chai';
import { fastest } from '../../../src/pipeline/planner/speed.js';

describe('the speed of this machine', () => {
  /** A run of 3 ms; the first and then every third one is held up for 10 ms by another program. */
  const busy = () => {
    let [now, runs] = [0, 0];
    const run = async () => {
      now += runs++ % 3 === 0 ? 13 : 3;
    };
    return { run, clock: () => now };
  };

  it('is that of a product which no other program held up', async () => {
    const { run, clock } = busy();
    expect(await fastest(run, { clock, milliseconds: 400, together: 1 })).to.equal(3);
    const other = busy();
    expect(
      await fastest(other.run, { clock: other.clock, milliseconds: 400, together: 4 }),
    ).to.be.greaterThan(4);
  });

  it('is that of the first product where it takes all the time', async () => {
    let now = 0;
    const run = async () => {
      now += 500;
    };
    expect(await fastest(run, { clock: () => now, milliseconds: 400, together: 1 })).to.equal(500);
  });
});
