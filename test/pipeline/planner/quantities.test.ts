/** Amounts of money as plans print them: what is little keeps digits that say something. */
import { expect } from 'chai';
import { plannedText } from '../../../src/pipeline/planner/budget.js';
import { duration, usd } from '../../../src/pipeline/planner/quantities.js';

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

describe('durations', () => {
  const hour = 3600;
  const texts: readonly (readonly [number, string])[] = [
    [0.42, '0.4 s'],
    [59.4, '59 s'],
    [200, '3 min 20 s'],
    [2.08 * hour, '2 h 05 min'],
    [99.4 * hour, '99 h 24 min'],
    [100 * hour, '4 days 04 h'],
    [30_581.4 * hour, '1,274 days 05 h'],
  ];
  for (const [seconds, text] of texts)
    it(text, () => {
      expect(duration(seconds)).to.equal(text);
    });
});

describe('what is planned next to its limit', () => {
  const texts: readonly (readonly [Parameters<typeof plannedText>[0], string])[] = [
    [{ value: 0.0042, limit: 0.001, unit: 'price' }, '0.0042 usd'],
    [{ value: 0.4249, limit: 0.42, unit: 'price' }, '0.4249 usd'],
    [{ value: 0.42, limit: 0.42, unit: 'price' }, '0.42 usd'],
    [{ value: 8 * 2 ** 30 + 4096, limit: 8 * 2 ** 30, unit: 'bytes' }, '8,589,938,688 B'],
    [{ value: 60.2, limit: 60, unit: 'seconds' }, '60.200 s'],
    [{ value: 2.00001, limit: 2 }, '2.00001'],
    [{ value: 2.5, limit: 2 }, '2.5'],
  ];
  for (const [line, text] of texts)
    it(text, () => {
      expect(plannedText(line)).to.equal(text);
    });
});
