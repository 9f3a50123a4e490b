import { expect } from 'chai';
import { RememberedSets } from '../../../../../src/pipeline/stages/data/dedupe/remembered-sets.js';

const numbers = (key: number, length: number): Uint32Array =>
  Uint32Array.from({ length }, (_, at) => 1000 * key + at);

describe('sets that are remembered', () => {
  it('are the newest ones, with their numbers, whatever their lengths', () => {
    for (const [sets, most] of [
      [8, 100],
      [1000, 64],
      [5, 1 << 20],
      [1, 12],
    ] as const) {
      const remembered = new RememberedSets(sets, most);
      const lengthOf = (key: number): number => (key * 7919) % 11;
      for (let key = 0; key < 500; key++) {
        remembered.add(key, numbers(key, lengthOf(key)));
        let oldest = key;
        while (remembered.get(oldest - 1) !== undefined) oldest--;
        expect(remembered.size)
          .to.equal(key - oldest + 1)
          .and.to.be.at.most(sets);
        for (let at = oldest; at <= key; at++)
          expect(remembered.get(at)).to.deep.equal(numbers(at, lengthOf(at)));
      }
      // of sets of ten numbers and fewer, at most so much room is left where they meet
      const room = Math.min(sets, Math.floor((most - 22) / 11));
      expect(remembered.size).to.be.at.least(Math.max(1, room));
    }
  });

  it('does not remember one that is longer than all may be', () => {
    const remembered = new RememberedSets(4, 10);
    remembered.add(1, numbers(1, 3));
    remembered.add(2, numbers(2, 10));
    remembered.add(3, numbers(3, 9));
    expect([1, 2, 3].map((key) => remembered.get(key)?.length)).to.deep.equal([undefined, undefined, 9]);
  });
});
