/** Amounts of money as plans print them: what is little keeps digits that say something. */
import { expect } from 'chai';
import { usd } from '../../../src/pipeline/planner/quantities.js';

describe('quantities', () => {
  const prices: Readonly<Record<string, number>> = {
    '0.00 usd': 0,
    '0.00000031 usd': 3.1e-7,
    '0.0042 usd': 0.00421,
    '0.010 usd': 0.00999,
    '0.099 usd': 0.0994,
    '0.10 usd': 0.0999,
    '0.42 usd': 0.421,
    '12.5 usd': 12.46,
    '240 usd': 240.4,
    '1,240 usd': 1240.4,
  };
  for (const [text, value] of Object.entries(prices))
    it(`of money: ${text}`, () => {
      expect(usd(value)).to.equal(text);
    });
});
