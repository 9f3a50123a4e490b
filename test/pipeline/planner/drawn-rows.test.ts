/** Which rows a training reads that ends early, as it draws them. */
import { expect } from 'chai';
import { globalBatches, totalSteps } from '../../../src/compute/training/index.js';
import { drawnRows } from '../../../src/pipeline/planner/drawn-rows.js';
import type { Lengths } from '../../../src/pipeline/planner/expected-rows.js';

describe('rows of a training that ends before it has read all', () => {
  const tokens = Uint32Array.from({ length: 100 }, (_, row) => 20 + ((row * 37) % 100));
  const lengths: Lengths = {
    ...{ rows: 100, tokens: tokens.reduce((sum, length) => sum + length), supervised: 500, longest: 119 },
    ...{ histogram: [0, 13, 16, 16, 16, 16, 16, 7], longestAtLeast: 100, known: 'sampled' },
    inOrder: () => tokens,
  };
  const drawing = (steps: number, maxLength = 256) => ({
    ...{ order: 'shuffled' as const, seed: 17, globalBatch: 4, maxLength },
    steps: (rows: number) => totalSteps(rows, 4, { steps, epochs: 3 }),
  });

  it('are those that it draws', () => {
    for (const maxLength of [256, 90]) {
      const kept = tokens.filter((length) => length <= maxLength);
      const batches = globalBatches({ ...drawing(3), rows: kept.length, lengthOf: (row) => kept[row] ?? 0 });
      const read = [1, 2, 3].flatMap((step) => [...batches.rowsOf(step)].map((row) => kept[row] ?? 0));
      const drawn = drawnRows(lengths, drawing(3, maxLength));
      expect(drawn?.steps).to.equal(3);
      expect(drawn?.lengths).to.deep.include({ rows: 12, longest: Math.max(...read), supervised: 60 });
      expect(drawn?.lengths.tokens).to.equal(read.reduce((sum, length) => sum + length));
      expect(drawn?.lengths.histogram.reduce((sum, count) => sum + count)).to.equal(12);
      expect(drawn?.lengths.longestAtLeast).to.equal(undefined);
    }
  });

  it('are all where it reads all, and not known where their order is not', () => {
    expect(drawnRows(lengths, drawing(25))).to.equal(undefined);
    expect(drawnRows(lengths, drawing(20, 90))).to.equal(undefined);
    expect(drawnRows({ ...lengths, inOrder: undefined }, drawing(3))).to.equal(undefined);
  });
});
