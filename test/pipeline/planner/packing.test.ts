import { expect } from 'chai';
import type { ModelConfig } from '../../../src/compute/models/types.js';
import { packRows } from '../../../src/compute/training/batch.js';
import { epochOrder, uniform } from '../../../src/compute/training/order.js';
import { BIN, type Lengths } from '../../../src/pipeline/planner/expected-rows.js';
import { longestPadded, sequencesOf } from '../../../src/pipeline/planner/memory/train.js';

/** Rows of 20 tokens and more, most of them short. */
const ROWS = Array.from({ length: 2000 }, (_, row) =>
  Math.min(200, Math.floor(20 - 35 * Math.log(1 - uniform(1, 0, row)))),
);

const lengths: Lengths = {
  rows: ROWS.length,
  tokens: ROWS.reduce((sum, length) => sum + length, 0),
  supervised: 0,
  longest: Math.max(...ROWS),
  histogram: ROWS.reduce((bins: number[], length) => {
    const bin = Math.ceil(length / BIN) - 1;
    while (bins.length <= bin) bins.push(0);
    bins[bin] = (bins[bin] ?? 0) + 1;
    return bins;
  }, []),
  known: 'counted',
};
const config = { maxPositions: 1024 } as unknown as ModelConfig;
const memory = (packed: number | undefined) => ({
  config,
  lengths,
  ...(packed === undefined ? {} : { packed }),
});

describe('a plan of packed rows', () => {
  for (const [global, capacity] of [
    [8, 256],
    [32, 256],
    [32, 512],
    [64, 1024],
  ] as const)
    it(`has room for nearly every step of ${global} rows in sequences of ${capacity}, and not for much more`, () => {
      const order = epochOrder(
        {
          order: 'shuffled',
          rows: ROWS.length,
          globalBatch: global,
          seed: 3,
          lengthOf: (row) => ROWS[row] ?? 0,
        },
        0,
      );
      const counts: number[] = [];
      for (let start = 0; start + global <= ROWS.length; start += global)
        counts.push(
          packRows(order.subarray(start, start + global), capacity, (row) => ROWS[row] ?? 0).length,
        );
      const planned = sequencesOf(memory(global), capacity);
      expect(counts.filter((count) => count > planned).length / counts.length).to.be.below(0.15);
      expect(planned).to.be.at.most(Math.max(...counts) + 1);
    });

  it('counts sequences as long as they can be: no longer than the rows of a step, `max_length` or the model', () => {
    expect(longestPadded(memory(undefined), { maxLength: 512 })).to.equal(224);
    expect(longestPadded(memory(16), { maxLength: 512 })).to.equal(512);
    expect(longestPadded(memory(2), { maxLength: 512 })).to.equal(448);
    expect(longestPadded(memory(16), { maxLength: 4096 })).to.equal(1024);
    expect(sequencesOf(memory(2), 128)).to.equal(2);
    expect(sequencesOf(memory(1), 1024)).to.equal(1);
  });
});
