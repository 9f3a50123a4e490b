import { expect } from 'chai';
import { dataSeconds, fastest, formatSeconds } from '../../../src/pipeline/planner/speed.js';

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

  it('is not asked for rows, whose time goes by how many and how long they are', () => {
    // 300,000 rows of 177 tokens were formatted in 82 s, and read in 26 s
    expect(formatSeconds(300_000, 53e6, 0).expected).to.be.within(75, 90);
    expect(formatSeconds(300_000, 53e6, 1).expected).to.be.within(60, 72);
    expect(formatSeconds(300_000, 12e6, 0).expected).to.be.below(30);
    expect(dataSeconds(300_000, 210e6).expected).to.be.within(23, 29);
  });
});
