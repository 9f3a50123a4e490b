import { expect } from 'chai';
import { encodersOf } from '../../../../src/pipeline/planner/memory/encoders.js';
import { formatPeak } from '../../../../src/pipeline/planner/memory/rows.js';

const MIB = 2 ** 20;
const size = (rows: number, kept = 32 * MIB) => ({
  ...{ rows, pieces: rows, bytes: 900 * rows, tokens: 200 * rows, isInJinja: true },
  tokenizer: { made: 2 * kept, kept },
});
const always = (): boolean => true;

describe('threads that encode rows', () => {
  it('are one fewer than there are cores, where there are many rows', () => {
    expect(encodersOf(2, size(19_999), always)).to.equal(0);
    expect(encodersOf(1, size(300_000), always)).to.equal(0);
    expect(encodersOf(2, size(300_000), always)).to.equal(1);
    expect(encodersOf(4, size(300_000), always)).to.equal(3);
    expect(encodersOf(64, size(300_000, 4 * MIB), always)).to.equal(7);
  });

  it('are fewer where their tokenizers are large, or the memory is short', () => {
    expect(encodersOf(8, size(300_000, 54 * MIB), always)).to.equal(1);
    expect(encodersOf(8, size(300_000, 144 * MIB), always)).to.equal(0);
    const rows = size(300_000);
    const most = formatPeak(rows, 2).bytes;
    expect(encodersOf(8, rows, ({ bytes }) => bytes <= most)).to.equal(2);
    expect(encodersOf(8, rows, () => false)).to.equal(0);
  });
});
