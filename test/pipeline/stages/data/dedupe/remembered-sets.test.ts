import { expect } from 'chai';
import { CHUNK, RememberedSets } from '../../../../../src/pipeline/stages/data/dedupe/remembered-sets.js';

const numbers = (key: number, length: number): Uint32Array =>
  Uint32Array.from({ length }, (_, at) => 1000 * key + at);

describe('sets that are remembered', () => {
  for (const [sets, most, longest] of [
    [8, 2, 10],
    [1000, 3, CHUNK / 5],
    [3, 1, CHUNK - 1],
    [1, 64, CHUNK / 3],
  ] as const)
    it(`are the newest ones: ${sets} in ${most} chunks, of up to ${longest} numbers`, () => {
      const remembered = new RememberedSets(sets, most);
      const lengthOf = (key: number): number => Math.floor((longest * ((key * 7919) % 11)) / 10);
      let held = 0;
      for (let key = 0; key < 60; key++) {
        remembered.add(key, numbers(key, lengthOf(key)));
        let oldest = key;
        while (remembered.get(oldest - 1) !== undefined) oldest--;
        expect(remembered.size).to.equal(key - oldest + 1);
        for (const at of new Set([oldest, key]))
          expect(remembered.get(at)).to.deep.equal(numbers(at, lengthOf(at)));
        held = Math.max(held, remembered.size);
      }
      // two that follow each other may each leave the end of a chunk
      const room = Math.floor((most * CHUNK) / (2 * longest));
      expect(held).to.be.within(Math.max(1, Math.min(sets, room)), sets);
    });

  it('does not remember one that fills a chunk', () => {
    const remembered = new RememberedSets(4, 2);
    for (const [key, length] of [3, CHUNK, 9].entries()) remembered.add(key, numbers(key, length));
    expect([0, 1, 2].map((key) => remembered.get(key)?.length)).to.deep.equal([3, undefined, 9]);
  });
});
