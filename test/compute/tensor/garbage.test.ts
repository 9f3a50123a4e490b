/** Objects of earlier steps, of which V8 would let many gather. */
import { expect } from 'chai';
import { heapTidier } from '../../../src/compute/tensor/garbage.js';

const MIB = 2 ** 20;

describe('the heap between steps', () => {
  it('is collected when it has grown by several MiB, and then not before it has grown again', () => {
    let used = 100 * MIB;
    let collections = 0;
    const tidy = heapTidier(
      () => used,
      () => {
        collections++;
        used -= 3 * MIB;
      },
    );
    /** Collections after a step that leaves so many bytes more. */
    const collectionsAfter = (more: number): number => {
      used += more;
      tidy();
      return collections;
    };
    expect([
      collectionsAfter(0),
      collectionsAfter(3 * MIB),
      collectionsAfter(2 * MIB),
      collectionsAfter(0),
      collectionsAfter(4 * MIB),
      collectionsAfter(1),
    ]).to.deep.equal([0, 0, 1, 1, 1, 2]);
    // V8 has collected by itself: growth counts from there
    used -= 50 * MIB;
    expect([collectionsAfter(0), collectionsAfter(5 * MIB)]).to.deep.equal([2, 3]);
  });
});
