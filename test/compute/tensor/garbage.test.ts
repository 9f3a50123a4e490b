/** Objects of earlier steps, of which V8 would let many gather. */
import { expect } from 'chai';
import { tidyHeap } from '../../../src/compute/tensor/garbage.js';

describe('the heap between steps', () => {
  const exposed = globalThis as { gc?: () => void };
  const { gc } = exposed;
  after(() => {
    if (gc === undefined) delete exposed.gc;
    else exposed.gc = gc;
  });

  it('is collected when it has grown by several MiB, and then not before it has grown again', () => {
    let collections = 0;
    exposed.gc = () => collections++;
    // brings the figure that growth is counted from up to date
    const kept: number[][] = [Array.from({ length: 2 ** 20 }, (_, index) => index + 0.5)];
    tidyHeap();
    const before = collections;
    kept.push(Array.from({ length: 2 ** 20 }, (_, index) => index + 0.5));
    tidyHeap();
    expect(collections).to.equal(before + 1);
    tidyHeap();
    expect(collections).to.equal(before + 1);
    expect(kept).to.have.length(2);
  });
});
