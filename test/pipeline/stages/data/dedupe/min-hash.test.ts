import { expect } from 'chai';
import { FUNCTIONS, signatureOf } from '../../../../../src/pipeline/stages/data/dedupe/min-hash.js';
import { mix } from '../../../../../src/pipeline/stages/data/dedupe/word-triples.js';

/** The definition, one number at a time. */
function least(set: Uint32Array, index: number): number {
  const seed = mix(index + 1);
  const hashes = Array.from(set, (value) => {
    let hash = Math.imul(value ^ seed, mix(seed) | 1);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    return (hash ^ (hash >>> 13)) >>> 0;
  });
  return hashes.reduce((low, hash) => Math.min(low, hash), 0xffffffff);
}

/** Twice mixed: seeds are mixed once, and a number that is one of them would be the least of its function. */
const numbers = (count: number): Uint32Array =>
  Uint32Array.from({ length: count }, (_, i) => mix(mix(i) + 77));

describe('MinHash signatures', () => {
  for (const count of [1, 2, 7, 8, 9, 4095, 4096, 4097, 10_000])
    it(`has the least hash of ${count} numbers under every function`, () => {
      const set = numbers(count);
      const expected = Array.from({ length: FUNCTIONS }, (_, index) => least(set, index));
      expect([...signatureOf(set)]).to.deep.equal(expected);
    });

  it('keeps nothing of the set before, and computes as many functions as it is asked for', () => {
    signatureOf(numbers(5000));
    const set = Uint32Array.of(0xffffffff, 0, 0x80000000);
    expect([...signatureOf(set, 3)]).to.deep.equal([0, 1, 2].map((index) => least(set, index)));
  });

  it('agrees in about as many hashes as two sets overlap', () => {
    const [a, b] = [numbers(1000), numbers(1200).subarray(200)];
    const signature = Uint32Array.from(signatureOf(a));
    const same = signatureOf(b).filter((value, index) => value === signature[index]).length;
    // 800 of 1200 numbers: 85 of 128, with a deviation of 5.3
    expect(same).to.be.within(64, 106);
  });
});
