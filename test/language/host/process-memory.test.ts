import { expect } from 'chai';
import { killLedger } from '../../../src/language/host/process-memory.js';

describe('processes of which some are killed for lack of memory', () => {
  it('each kill explains the end of one of them', () => {
    let kills = 3;
    const watch = killLedger(() => kills);
    const [first, second] = [watch(), watch()];
    expect(first()).to.equal(false);
    kills++;
    expect(first()).to.equal(true);
    // ended by somebody else, after that
    expect(second()).to.equal(false);
    const third = watch();
    expect(third()).to.equal(false);
    kills += 2;
    expect([second(), third()]).to.deep.equal([true, true]);
    expect(watch()()).to.equal(false);
  });
});
