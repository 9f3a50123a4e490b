import { expect } from 'chai';
import { QuantileSketch } from '../../../../src/pipeline/serve/monitoring/quantile-sketch.js';
import { randoms } from '../request-lines.js';

describe('quantiles in bounded memory', () => {
  it('are within 1 % of those of the list', () => {
    const random = randoms(11);
    const values = Array.from({ length: 20_000 }, () => Math.exp(6 * random() - 3));
    const [sketch, half] = [new QuantileSketch(), new QuantileSketch()];
    for (const [index, value] of values.entries()) (index % 2 === 0 ? sketch : half).add(value);
    sketch.merge(half);
    values.sort((a, b) => a - b);
    for (const share of [0, 0.01, 0.5, 0.95, 0.99, 1]) {
      const exact = values[Math.floor(share * (values.length - 1))] ?? 0;
      expect((sketch.quantile(share) ?? 0) / exact, String(share)).to.be.closeTo(1, 0.0101);
    }
    expect(sketch.count).to.equal(values.length);
  });

  it('survive what is no duration', () => {
    const sketch = new QuantileSketch();
    expect(sketch.quantile(0.5)).to.equal(undefined);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) sketch.add(value);
    expect(sketch.count).to.equal(0);
    sketch.add(0);
    expect(sketch.quantile(0.5)).to.be.closeTo(1e-6, 1e-7);
  });
});
