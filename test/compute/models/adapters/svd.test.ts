import { expect } from 'chai';
import { largestTriplets, type Matrix } from '../../../../src/compute/models/adapters/svd.js';
import { fillNormal } from '../../../../src/compute/models/philox.js';

function random(rows: number, columns: number, stream: string): Matrix {
  const data = new Float32Array(rows * columns);
  fillNormal(data, 1, stream, 1);
  return { rows, columns, data };
}

/** Σ values·left·rightᵀ over the triplets. */
function joined({ rows, columns }: Matrix, found: ReturnType<typeof largestTriplets>): Float64Array {
  const out = new Float64Array(rows * columns);
  found.values.forEach((value, k) => {
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const at = row * columns + column;
        out[at] = (out[at] ?? 0) + value * (found.left[k]?.[row] ?? 0) * (found.right[k]?.[column] ?? 0);
      }
  });
  return out;
}

const dot = (a: Float64Array, b: Float64Array): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

describe('largest singular triplets', () => {
  for (const [rows, columns] of [
    [20, 20],
    [40, 12],
    [9, 30],
    [1, 5],
  ] as const)
    it(`make up the whole of a matrix of ${rows} by ${columns}`, () => {
      const matrix = random(rows, columns, 'whole');
      const found = largestTriplets(matrix, Math.min(rows, columns));
      const whole = joined(matrix, found);
      matrix.data.forEach((value, at) => {
        expect(whole[at]).to.be.closeTo(value, 1e-9);
      });
      expect([...found.values]).to.deep.equal([...found.values].sort((a, b) => b - a));
    });

  it('are orthonormal, map to each other, and are the largest', () => {
    const matrix = random(120, 70, 'tall');
    const { values, left, right } = largestTriplets(matrix, 5);
    const all = largestTriplets(matrix, 70);
    expect(values.length).to.equal(5);
    values.forEach((value, k) => {
      expect(value / (all.values[k] ?? 0)).to.be.closeTo(1, 1e-10);
      for (let other = 0; other < 5; other++) {
        const same = other === k ? 1 : 0;
        expect(dot(left[k] as Float64Array, left[other] as Float64Array)).to.be.closeTo(same, 1e-10);
        expect(dot(right[k] as Float64Array, right[other] as Float64Array)).to.be.closeTo(same, 1e-10);
      }
      const image = Float64Array.from({ length: 120 }, (_, row) =>
        (right[k] ?? new Float64Array()).reduce(
          (sum, part, column) => sum + part * (matrix.data[row * 70 + column] ?? 0),
          0,
        ),
      );
      image.forEach((part, row) => {
        expect(part).to.be.closeTo(value * (left[k]?.[row] ?? 0), 1e-7);
      });
    });
  });

  it('are found where the matrix has fewer than are asked for, or equal ones', () => {
    const one = random(30, 1, 'a').data;
    const other = random(30, 1, 'b').data;
    const flat = { rows: 30, columns: 30, data: new Float32Array(900) };
    for (let row = 0; row < 30; row++)
      for (let column = 0; column < 30; column++)
        flat.data[row * 30 + column] = (one[row] ?? 0) * (other[column] ?? 0);
    const { values } = largestTriplets(flat, 3);
    const [first = 0, second = 1, third = 1] = values;
    expect(first).to.be.above(1);
    expect(Math.max(second, third) / first).to.be.below(1e-6);
    const unit = { rows: 8, columns: 8, data: new Float32Array(64) };
    for (let at = 0; at < 8; at++) unit.data[at * 9] = 2;
    const found = largestTriplets(unit, 8);
    expect([...found.values].every((value) => Math.abs(value - 2) < 1e-12)).to.equal(true);
    expect(Math.abs(joined(unit, found)[0] ?? 0)).to.be.closeTo(2, 1e-12);
    const none = largestTriplets({ rows: 4, columns: 3, data: new Float32Array(12) }, 2);
    expect([...none.values]).to.deep.equal([0, 0]);
  });
});
