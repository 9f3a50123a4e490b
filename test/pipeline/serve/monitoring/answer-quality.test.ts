import { expect } from 'chai';
import { answerQuality, qualityOf } from '../../../../src/pipeline/serve/monitoring/answer-quality.js';
import { QuantileSketch } from '../../../../src/pipeline/serve/monitoring/quantile-sketch.js';
import { randoms } from '../request-lines.js';

describe('the quality of answers', () => {
  it('is the share of runs of four words that were said before', () => {
    expect(answerQuality('').repetition).to.equal(0);
    expect(answerQuality('one two three').repetition).to.equal(0);
    expect(answerQuality('The MIT License is short, and it is free.').repetition).to.equal(0);
    // Eight words: five runs of four, of which the last repeats the first.
    expect(answerQuality('a b c d a b c d').repetition).to.be.closeTo(1 / 5, 1e-12);
    expect(answerQuality('no '.repeat(100)).repetition).to.be.closeTo(96 / 97, 1e-12);
  });

  it('knows answers that decline by how they begin', () => {
    for (const answer of [
      "I'm sorry, but I can't help with that.",
      'I’m afraid that is not possible.',
      'As an AI language model, I have no opinion.',
      'I cannot give legal advice.',
      'Sorry. I do not have access to that file.',
    ])
      expect(answerQuality(answer).isRefusal, answer).to.equal(true);
    for (const answer of [
      'Yes. The licence allows it.',
      'You cannot be held liable for it.',
      `${'The licensee may use it. '.repeat(10)} I cannot say more.`,
      'Sorry is a word.',
    ])
      expect(answerQuality(answer).isRefusal, answer).to.equal(false);
  });

  it('is the mean of several answers', () => {
    expect(qualityOf([])).to.equal(undefined);
    const mean = qualityOf(['a b c d a b c d', 'I cannot say.']);
    expect(mean?.repetition).to.be.closeTo(0.1, 1e-12);
    expect(mean?.isRefusal).to.equal(true);
  });
});

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
