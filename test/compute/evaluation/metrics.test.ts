import { expect } from 'chai';
import {
  bootstrap,
  jackknife,
  measure,
  measureDifference,
  wilson,
} from '../../../src/compute/evaluation/metrics/measure.js';
import { pythonStrip } from '../../../src/compute/evaluation/metrics/python-text.js';
import { rougeL } from '../../../src/compute/evaluation/metrics/rouge.js';
import { metrics } from '../../../src/compute/evaluation/metrics/table.js';
import type { MeasuredRow, MetricArgs } from '../../../src/compute/evaluation/metrics/types.js';
import { unigramSums } from '../../../src/compute/evaluation/metrics/unigrams.js';
import { seededRandom } from '../../../src/compute/evaluation/seeded-random.js';
import { fixture } from './fixtures.js';

const row = (more: Partial<MeasuredRow>): MeasuredRow => ({
  lossSum: 0,
  tokens: 1,
  unigramSum: 0,
  reference: '',
  referenceTokens: 1,
  ...more,
});

describe('metrics', () => {
  it('gives rouge_score’s ROUGE-L to the last bit or nearly (1e-12)', () => {
    const cases = fixture<{ reference: string; answer: string; f1: number }[]>('evaluation', 'rouge.json');
    for (const { reference, answer, f1 } of cases) {
      expect(rougeL(reference, answer), `${reference} | ${answer}`).to.be.closeTo(f1, 1e-12);
    }
  });

  it('strips what Python strips', () => {
    const { spaces, texts } = fixture<{ spaces: number[]; texts: { text: string; stripped: string }[] }>(
      'evaluation',
      'strip.json',
    );
    const ours = Array.from({ length: 0x10000 }, (_, i) => i).filter(
      (i) => pythonStrip(String.fromCharCode(i)) === '',
    );
    expect(ours).to.deep.equal(spaces);
    for (const { text, stripped } of texts) expect(pythonStrip(text)).to.equal(stripped);
  });

  it('weighs the loss by tokens, and perplexity is e to it', () => {
    const rows = [row({ lossSum: 2, tokens: 1 }), row({ lossSum: 3, tokens: 9 })];
    expect(measure('loss', rows, { seed: 1 })?.value).to.equal(0.5);
    expect(measure('perplexity', rows, { seed: 1 })?.value).to.equal(Math.exp(0.5));
  });

  it('counts for exact_match only the answered rows whose reference is short enough', () => {
    const rows = [
      row({ reference: 'yes', answer: ' yes\n', referenceTokens: 1 }),
      row({ reference: 'no', answer: 'yes', referenceTokens: 2 }),
      row({ reference: 'a long one', answer: 'a long one', referenceTokens: 9 }),
      row({ reference: 'not answered', referenceTokens: 1 }),
    ];
    const all = measure('exact_match', rows, { seed: 1 });
    expect(all?.value).to.be.closeTo(2 / 3, 1e-12);
    expect(all?.rows).to.equal(3);
    expect(measure('exact_match', rows, { seed: 1, args: { up_to: 2 } })?.value).to.equal(0.5);
    expect(measure('exact_match', rows, { seed: 1, args: { up_to: 0 } })).to.equal(undefined);
  });

  it('gives the unigram perplexity of the supervised tokens, the first position aside', () => {
    const labels = [Int32Array.of(9, 5, 5, -100), Int32Array.of(-100, 5, 7)];
    const sums = unigramSums({
      count: labels.length,
      read: (i) => ({ ids: new Int32Array(0), labels: labels[i] ?? new Int32Array(0) }),
    });
    const rows = sums.map((unigramSum, i) => row({ unigramSum, tokens: i === 0 ? 2 : 2 }));
    // Shares 3/4 and 1/4: the entropy is that of a coin with these odds.
    const entropy = -(0.75 * Math.log(0.75) + 0.25 * Math.log(0.25));
    expect(measure('unigram_perplexity', rows, { seed: 1 })?.value).to.be.closeTo(Math.exp(entropy), 1e-12);
  });

  it('has an interval that holds the value, and the same one at every run', () => {
    const rows = Array.from({ length: 50 }, (_, i) =>
      row({
        lossSum: (i % 7) + 1,
        tokens: 1 + (i % 3),
        reference: 'a b c d',
        answer: i % 4 === 0 ? 'a b c d' : 'b a d e',
      }),
    );
    for (const name of [
      'loss',
      'perplexity',
      'exact_match',
      'rouge_l',
      'bleu',
      'chrf',
      'token_f1',
      'contains',
    ] as const) {
      const first = measure(name, rows, { seed: 3 });
      expect(first?.low, name).to.be.lessThan(first?.value ?? Number.NaN);
      expect(first?.high, name).to.be.greaterThan(first?.value ?? Number.NaN);
      expect(measure(name, rows, { seed: 3 })).to.deep.equal(first);
    }
    expect(measure('loss', rows, { seed: 4 })?.low).not.to.equal(measure('loss', rows, { seed: 3 })?.low);
  });

  it('looks for the reference or a text of one’s own, and for a pattern', () => {
    const rows = [
      row({ reference: 'Paris ', answer: 'It is Paris.' }),
      row({ reference: 'Rome', answer: 'it is rome' }),
      row({ reference: '42', answer: 'Forty-two' }),
      row({ reference: 'it', answer: 'It' }),
    ];
    const of = (name: 'contains' | 'matches', args: MetricArgs): number | undefined =>
      measure(name, rows, { args, seed: 1 })?.value;
    expect(of('contains', {})).to.equal(0.25);
    expect(of('contains', { ignore_case: true })).to.equal(0.75);
    expect(of('contains', { text: 'is' })).to.equal(0.5);
    expect(of('matches', { pattern: '^it\\b' })).to.equal(0.25);
    expect(of('matches', { pattern: '^it\\b', ignore_case: true })).to.equal(0.75);
    expect(of('matches', { pattern: '\\p{Lu}' })).to.equal(0.75);
  });

  it('counts phrases that an answer says again, and n-grams that any answer says again', () => {
    const rows = [
      row({ answer: 'a b c d a b c d' }), // abcd bcda cdab dabc abcd
      row({ answer: 'short one' }),
      row({ answer: '我是我是我是我是' }), // two of five runs are new
    ];
    expect(measure('repetition', rows, { seed: 1 })?.value).to.be.closeTo((1 / 5 + 0 + 3 / 5) / 3, 1e-12);
    const distinct = (n: number) => measure('distinct', rows.slice(0, 2), { args: { n }, seed: 1 });
    expect(distinct(1)?.value).to.equal(6 / 10);
    expect(distinct(2)?.value).to.equal(5 / 8);
    expect(measure('distinct', [row({ answer: '' })], { args: { n: 2 }, seed: 1 })?.value).to.equal(0);
  });

  it('leaves rows out for the interval of distinct: its value lies within', () => {
    const rows = Array.from({ length: 300 }, (_, i) => row({ answer: `row ${i} says word ${i % 7} twice` }));
    const { value = 0, low = 0, high = 0 } = measure('distinct', rows, { args: { n: 1 }, seed: 1 }) ?? {};
    expect(low).to.be.lessThan(value);
    expect(high).to.be.greaterThan(value);
    const other = rows.map((each) => ({ ...each, answer: 'the same' }));
    const difference = measureDifference('distinct', rows, other, { args: { n: 1 }, seed: 1 });
    expect(difference?.value).to.be.closeTo(value - 2 / 600, 1e-12);
    expect(difference?.low).to.be.greaterThan(0);
  });

  it('gives the jackknife’s interval of a mean: that of its standard error', () => {
    const values = [1, 2, 4, 7, 11];
    const mean = (draws?: Uint32Array): number => {
      const weights = values.map((_, i) => draws?.[i] ?? 1);
      const total = weights.reduce((sum, each) => sum + each, 0);
      return values.reduce((sum, each, i) => sum + each * (weights[i] ?? 0), 0) / total;
    };
    const { low, high } = jackknife(values.length, mean);
    const error = Math.sqrt(values.reduce((sum, each) => sum + (each - 5) ** 2, 0) / 4 / 5);
    expect((high - low) / 2).to.be.closeTo(1.959963984540054 * error, 1e-12);
    expect((high + low) / 2).to.be.closeTo(5, 1e-12);
  });

  it('finishes monotonely, so that an interval’s ends stay its ends', () => {
    for (const metric of Object.values(metrics))
      expect(metric.finish(0.2)).to.be.lessThan(metric.finish(0.3));
  });

  it('compares two models on the same rows: what is hard for both does not widen the interval', () => {
    const rows = Array.from({ length: 40 }, (_, i) => row({ lossSum: i, tokens: 1 }));
    const better = rows.map((each) => ({ ...each, lossSum: each.lossSum - 1 }));
    const difference = measureDifference('loss', better, rows, { seed: 5 });
    expect(difference?.value).to.be.closeTo(-1, 1e-12);
    expect((difference?.high ?? 0) - (difference?.low ?? 0)).to.be.lessThan(1e-9);
  });
});

describe('intervals', () => {
  it('gives Wilson’s interval (Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29)', () => {
    const published: readonly (readonly [number, number, number, number])[] = [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ];
    for (const [hits, total, low, high] of published) {
      const interval = wilson(hits, total);
      expect(interval.low).to.be.closeTo(low, 5e-5);
      expect(interval.high).to.be.closeTo(high, 5e-5);
    }
  });

  it('covers a mean about 95 times in 100', () => {
    const random = seededRandom(8);
    let covered = 0;
    const trials = 200;
    for (let i = 0; i < trials; i++) {
      const values = Array.from({ length: 60 }, () => random());
      const mean = (draws: Uint32Array): number =>
        values.reduce((sum, value, j) => sum + value * (draws[j] as number), 0) / values.length;
      const { low, high } = bootstrap(values.length, mean, 300, random);
      if (low <= 0.5 && 0.5 <= high) covered++;
    }
    expect(covered / trials).to.be.within(0.89, 0.99);
  });
});
