import { expect } from 'chai';
import { lossBatches, rowLosses } from '../../../src/compute/evaluation/losses.js';
import { seededRandom } from '../../../src/compute/evaluation/seeded-random.js';
import type { Batch, Decoder } from '../../../src/compute/models/decoder/types.js';
import type { TokenRows } from '../../../src/compute/training/batch.js';
import { tinyConfig } from './fake-decoder.js';

describe('losses over rows', () => {
  const random = seededRandom(2);
  const rows = Array.from({ length: 70 }, () => {
    const ids = Int32Array.from({ length: 1 + Math.floor(random() * 99) }, () => Math.floor(random() * 24));
    return { ids, labels: ids.map((id, i) => (i % 3 === 0 ? -100 : id)) };
  });

  const source: TokenRows = {
    count: rows.length,
    lengthOf: (row) => rows[row]?.ids.length ?? 0,
    read: (row) => rows[row] ?? { ids: new Int32Array(0), labels: new Int32Array(0) },
  };

  /** The "loss" of a row is the sum of its labels: padding and order must not show. */
  const shapes = new Set<string>();
  const decoder = {
    options: { config: { ...tinyConfig, maxPositions: 100 } } as Decoder['options'],
    loss: async ({ rows: count, length, labels }: Batch) => {
      shapes.add(`${count}×${length}`);
      const each = Array.from({ length: count }, (_, i) => {
        const own = [...labels.subarray(i * length + 1, (i + 1) * length)].filter((label) => label !== -100);
        return { sum: own.reduce((sum, label) => sum + label, 0), tokens: own.length };
      });
      return { sum: 0, tokens: 0, rows: each };
    },
  };

  it('gives each row its own loss, in the order of the rows', async () => {
    let done = 0;
    const losses = await rowLosses(decoder, source, {
      batchTokens: 256,
      padId: 0,
      onProgress: (count) => {
        done = count;
      },
    });
    const expected = rows.map(({ labels }) => {
      const own = [...labels].slice(1).filter((label) => label !== -100);
      return { sum: own.reduce((sum, label) => sum + label, 0), tokens: own.length };
    });
    expect(losses).to.deep.equal(expected);
    expect(done).to.equal(rows.length);
    // Lengths 32, 64, 96 and the model's last position, and the rest of the rows at the end.
    expect(shapes.size).to.be.at.most(5);
  });

  it('pads little and takes the largest batch first', () => {
    const lengths = rows.map(({ ids }) => ids.length);
    const batches = lossBatches(source, 256).map((batch) => [...batch]);
    expect(batches.flat().sort((a, b) => a - b)).to.deep.equal(lengths.map((_, i) => i));
    const longest = batches.map((batch) => Math.max(...batch.map((row) => lengths[row] ?? 0)));
    expect(longest).to.deep.equal([...longest].sort((a, b) => b - a));
    expect(lossBatches({ count: 1, lengthOf: () => 300 }, 256)).to.deep.equal([Uint32Array.of(0)]);
  });
});
