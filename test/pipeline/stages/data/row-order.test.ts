/** What is taken where not all is: the same as if the rows were sorted. */
import { expect } from 'chai';
import { takeLowest } from '../../../../src/pipeline/stages/data/balance.js';
import { mix } from '../../../../src/pipeline/stages/data/dedupe/word-triples.js';
import { lowest, type Order } from '../../../../src/pipeline/stages/data/row-order.js';
import { ColumnValues } from '../../../../src/pipeline/stages/data/row-values.js';
import { Column, integers, Scratch } from '../../../../src/pipeline/stages/data/scratch.js';

const random = (seed: number): number => mix(seed + 1) / 2 ** 32;

const ROWS = 3000;
const rows = (): Iterable<number> => Array.from({ length: ROWS }, (_, row) => 2 * row);

/** Places of 48 bits, among them equal ones, ones that differ in the last bit, and the least and the largest. */
const ORDERS: Readonly<Record<string, Order>> = {
  'all over the range': (row) => Math.floor(random(row) * 2 ** 48) / 2 ** 48,
  'some equal': (row) => Math.floor(random(row) * 40) / 64,
  'all equal': () => 0.25,
  'near one another': (row) => 0.5 + Math.floor(random(row) * 8) / 2 ** 48,
  'at the ends': (row) => (row % 4 === 0 ? 0 : 1 - 2 ** -48),
};

/** The rows in their order, those at one place by their number. */
const sorted = (order: Order): readonly number[] => [...rows()].sort((a, b) => order(a) - order(b) || a - b);

describe('data stage: the lowest rows', () => {
  for (const [name, order] of Object.entries(ORDERS)) {
    it(`are those that come first when all are sorted: places ${name}`, () => {
      for (const quota of [0, 1, 2, 700, 1499, 1500, 1501, ROWS - 1, ROWS, ROWS + 1]) {
        const isTaken = lowest({ rows, order, quotas: [quota] });
        const expected = new Set(sorted(order).slice(0, quota));
        for (const row of rows()) expect(isTaken(row), `${quota}: ${row}`).to.equal(expected.has(row));
      }
    });

    it(`are those of each group: places ${name}`, () => {
      const groupOf = (row: number): number => Math.floor(random(row + 5e5) ** 2 * 5);
      const quotas = [0, 100, 1, 5000, 333];
      const isTaken = lowest({ rows, order, quotas, groupOf });
      for (const [group, quota] of quotas.entries()) {
        const own = sorted(order).filter((row) => groupOf(row) === group);
        const expected = new Set(own.slice(0, quota));
        for (const row of own) expect(isTaken(row), `${group}: ${row}`).to.equal(expected.has(row));
      }
    });

    it(`are no more than the cap of any value: places ${name}`, () => {
      const numbers = new Column(noFile, 256, integers);
      const values = new ColumnValues('topic', 'balanced', numbers);
      for (const row of rows())
        values.note(row, `${Math.floor(random(row + 6e5) ** 3 * 6)}`, { file: '', line: row });
      for (const [cap, count] of [
        [200, 700],
        [50, ROWS],
        [ROWS, 900],
        [1, 3],
      ] as const) {
        const taken = takeLowest(rows, values, cap, count, order);
        const expected = new Set<number>();
        const have = new Map<number, number>();
        for (const row of sorted(order)) {
          const before = have.get(numbers.get(row)) ?? 0;
          if (before >= cap || expected.size >= count) continue;
          have.set(numbers.get(row), before + 1);
          expected.add(row);
        }
        for (const row of rows()) expect(taken(row), `${cap} ${count} ${row}`).to.equal(expected.has(row));
      }
    });
  }
});

const noFile = new Scratch(() => {
  throw new Error('these rows are in memory');
});
