import { expect } from 'chai';
import { answerProfile, answerQuality, qualityOf } from '../../../src/compute/evaluation/answer-quality.js';

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

  it('of an evaluation has lengths as they are distributed', () => {
    expect(answerProfile([])).to.equal(undefined);
    const answers = Array.from({ length: 21 }, (_, at) => ({
      text: at === 0 ? 'I cannot say.' : 'yes',
      tokens: 21 - at,
    }));
    expect(answerProfile(answers)).to.deep.equal({
      count: 21,
      tokens: { mean: 11, median: 11, p95: 20, most: 21 },
      repetition: 0,
      refusals: 1 / 21,
    });
  });
});
