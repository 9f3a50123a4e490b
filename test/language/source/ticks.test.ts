import { expect } from 'chai';
import { ticks, tickText } from '../../../src/language/source/ticks.js';

describe('ticks', () => {
  const cases: readonly (readonly [number, number, number, readonly number[]])[] = [
    [0, 10, 5, [0, 2, 4, 6, 8, 10]],
    [0, 0.002, 4, [0, 0.0005, 0.001, 0.0015, 0.002]],
    [0.6, 3.97, 4, [1, 2, 3]],
    [1, 120, 6, [20, 40, 60, 80, 100, 120]],
    [-3, 3, 3, [-2, 0, 2]],
    [5, 5, 4, [5]],
  ];
  for (const [low, high, count, expected] of cases)
    it(`spans ${low} to ${high} in about ${count} steps`, () => {
      expect(ticks(low, high, count)).to.deep.equal(expected);
    });

  it('is written short', () => {
    expect([0, 0.002, 3e-5, 12_000, 2_500_000, 0.1 + 0.2].map(tickText)).to.deep.equal([
      '0',
      '0.002',
      '3e-5',
      '12k',
      '2.5e6',
      '0.3',
    ]);
  });
});
