import { expect } from 'chai';
import { buildBatch, microBatches, supervisedTokens } from '../../../src/compute/training/batch.js';
import { paddedLength, totalSteps } from '../../../src/compute/training/index.js';
import {
  epochOrder,
  globalBatches,
  type OrderOptions,
  type RowOrder,
  stepsPerEpoch,
} from '../../../src/compute/training/order.js';
import { tokenRows } from './fixture.js';

const lengthOf = (row: number): number => 5 + ((row * 7) % 23);

const options = (order: RowOrder, more: Partial<OrderOptions> = {}): OrderOptions => ({
  order,
  rows: 103,
  globalBatch: 8,
  seed: 17,
  lengthOf,
  ...more,
});

const sorted = (order: Uint32Array): number[] => [...order].sort((a, b) => a - b);
const all = Array.from({ length: 103 }, (_, row) => row);

describe('order of rows', () => {
  for (const order of ['shuffled', 'file', 'by_length'] as const) {
    it(`${order}: every row once a pass, the same for the same seed and pass`, () => {
      for (const epoch of [0, 1, 5]) {
        expect(sorted(epochOrder(options(order), epoch))).to.deep.equal(all);
        expect(epochOrder(options(order), epoch)).to.deep.equal(epochOrder(options(order), epoch));
      }
    });
  }

  it('shuffles again in each pass and for each seed', () => {
    const first = epochOrder(options('shuffled'), 0);
    expect(first).to.not.deep.equal(Uint32Array.from(all));
    expect(first).to.not.deep.equal(epochOrder(options('shuffled'), 1));
    expect(first).to.not.deep.equal(epochOrder(options('shuffled', { seed: 18 }), 0));
    expect(first).to.not.deep.equal(epochOrder(options('shuffled', { seed: 17 + 2 ** 32 }), 0));
  });

  it('puts every row in every place equally often', () => {
    const places = Array.from({ length: 5 }, () => new Array<number>(5).fill(0));
    for (let epoch = 0; epoch < 4000; epoch++) {
      epochOrder(options('shuffled', { rows: 5 }), epoch).forEach((row, place) => {
        const counts = places[place];
        if (counts !== undefined) counts[row] = (counts[row] ?? 0) + 1;
      });
    }
    // 800 ± 25 is one standard deviation; five of them is a false alarm in a hundred thousand runs.
    for (const count of places.flat()) expect(count).to.be.within(675, 925);
  });

  it('file order is the order of the file', () => {
    expect([...epochOrder(options('file'), 3)]).to.deep.equal(all);
  });

  it('by_length: rows of a batch have like lengths, batches are mixed', () => {
    const order = epochOrder(options('by_length'), 0);
    const spans: number[] = [];
    const starts: number[] = [];
    for (let start = 0; start + 8 <= 103; start += 8) {
      const lengths = [...order.subarray(start, start + 8)].map(lengthOf);
      spans.push(Math.max(...lengths) - Math.min(...lengths));
      starts.push(Math.min(...lengths));
    }
    expect(Math.max(...spans)).to.be.at.most(3);
    expect(starts).to.not.deep.equal([...starts].sort((a, b) => a - b));
  });

  it('cuts global batches, a short one last in each pass, and starts over', () => {
    const batches = globalBatches(options('file', { rows: 10, globalBatch: 4 }));
    expect(batches.stepsPerEpoch).to.equal(3);
    const rows = [1, 2, 3, 4, 6].map((step) => [...batches.rowsOf(step)]);
    expect(rows).to.deep.equal([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
      [0, 1, 2, 3],
      [8, 9],
    ]);
  });

  it('counts steps as Trainer does', () => {
    expect(stepsPerEpoch(22, 4)).to.equal(6);
    expect(totalSteps(22, 4, { epochs: 3 })).to.equal(18);
    expect(totalSteps(22, 4, { epochs: 0.5 })).to.equal(3);
    expect(totalSteps(22, 4, { epochs: 1.1 })).to.equal(7);
    expect(totalSteps(22, 4, { epochs: 3, steps: 7 })).to.equal(7);
    expect(totalSteps(22, 4, { epochs: 1, steps: 50 })).to.equal(6);
    expect(totalSteps(22, 4, { steps: 50 })).to.equal(50);
    expect(totalSteps(1, 16, { epochs: 0.01 })).to.equal(1);
  });
});

describe('batches', () => {
  const rows = tokenRows([
    { ids: [1, 5, 6, 2], labels: [-100, -100, 6, 2] },
    { ids: Array.from({ length: 40 }, (_, i) => i + 1), labels: Array.from({ length: 40 }, (_, i) => i + 1) },
  ]);

  it('pads to the right up to a bucket of the longest row', () => {
    const batch = buildBatch(rows, Uint32Array.from([0, 1]), 9);
    expect([batch.rows, batch.length]).to.deep.equal([2, 64]);
    expect([...batch.ids.subarray(0, 6)]).to.deep.equal([1, 5, 6, 2, 9, 9]);
    expect([...batch.labels.subarray(0, 6)]).to.deep.equal([-100, -100, 6, 2, -100, -100]);
    expect([...batch.ids.subarray(64, 66)]).to.deep.equal([1, 2]);
    expect(batch.ids[63]).to.equal(9);
    expect(batch.labels[127]).to.equal(-100);
  });

  it('does not pad beyond what the model takes, and never cuts', () => {
    expect(paddedLength(40, 50)).to.equal(50);
    expect(paddedLength(40, 30)).to.equal(40);
    expect([1, 32, 33].map((tokens) => paddedLength(tokens))).to.deep.equal([32, 32, 64]);
  });

  it('counts a label at position 0 as never predicted', () => {
    expect(supervisedTokens(buildBatch(rows, Uint32Array.from([0, 1]), 9))).to.equal(2 + 39);
  });

  it('cuts micro batches of like length, the longest first', () => {
    const lengths = [3, 9, 4, 9, 1];
    const cuts = microBatches(Uint32Array.from([0, 1, 2, 3, 4]), 2, (row) => lengths[row] ?? 0);
    expect(cuts.map((cut) => [...cut])).to.deep.equal([[1, 3], [2, 0], [4]]);
  });
});
