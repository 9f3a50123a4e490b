import { expect } from 'chai';
import { PrefixCache } from '../../../src/compute/serving/prefix-cache.js';

/** Keys and values that say which tokens they are of. */
const reader = (text: Int32Array) => (start: number, end: number) =>
  Float32Array.from(text.subarray(start, end));

const textOf = (...parts: readonly (readonly [value: number, count: number])[]): Int32Array =>
  Int32Array.from(parts.flatMap(([value, count]) => Array<number>(count).fill(value)));

describe('the cache of common prefixes', () => {
  const held = (cache: PrefixCache, text: Int32Array): number[] =>
    cache.find(text).flatMap(({ data }) => [...data]);

  it('finds the longest beginning in whole blocks, and leaves a token to compute', () => {
    const cache = new PrefixCache(1000);
    const text = textOf([1, 16], [2, 20]);
    cache.add(text, reader(text));
    expect(cache.tokens).to.equal(32);
    expect(held(cache, text)).to.deep.equal([...text.subarray(0, 32)]);
    expect(held(cache, text.subarray(0, 32))).to.deep.equal([...text.subarray(0, 16)]);
    expect(held(cache, textOf([1, 16], [3, 20]))).to.deep.equal([...text.subarray(0, 16)]);
    expect(held(cache, textOf([2, 40]))).to.deep.equal([]);
  });

  it('holds what texts have in common once', () => {
    const cache = new PrefixCache(1000);
    for (const last of [2, 3, 4]) {
      const text = textOf([1, 32], [last, 16]);
      cache.add(text, reader(text));
    }
    expect(cache.tokens).to.equal(32 + 3 * 16);
  });

  it('lets go what was used longest ago, and never what something goes on from', () => {
    const cache = new PrefixCache(64);
    const [old, fresh] = [textOf([1, 16], [2, 17]), textOf([1, 16], [3, 17])];
    cache.add(old, reader(old));
    cache.add(fresh, reader(fresh));
    expect(cache.tokens).to.equal(48);
    // used again: the other branch goes first
    cache.find(old);
    const more = textOf([9, 33]);
    cache.add(more, reader(more));
    expect(cache.tokens).to.equal(64);
    expect(held(cache, old)).to.have.length(32);
    expect(held(cache, fresh)).to.have.length(16);
    expect(held(cache, more)).to.have.length(32);
  });

  it('holds of a long text only as much as there is room for, and nothing without room', () => {
    const long = textOf([1, 100], [2, 100]);
    const cache = new PrefixCache(50);
    cache.add(long, reader(long));
    expect(held(cache, long)).to.have.length(48);
    const none = new PrefixCache(0);
    none.add(long, reader(long));
    expect(none.tokens).to.equal(0);
  });
});
