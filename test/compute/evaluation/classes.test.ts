import { expect } from 'chai';
import { classScores, confusion, macroF1 } from '../../../src/compute/evaluation/metrics/classes.js';
import { measure, measureDifference } from '../../../src/compute/evaluation/metrics/measure.js';
import type { MeasuredRow } from '../../../src/compute/evaluation/metrics/types.js';
import { fixture } from './fixtures.js';

interface Case {
  readonly truth: readonly number[];
  readonly predicted: readonly number[];
  readonly accuracy: number;
  readonly f1: number;
  readonly precision: readonly number[];
  readonly recall: readonly number[];
  readonly f1s: readonly number[];
  readonly support: readonly number[];
  readonly confusion: readonly (readonly number[])[];
}

const rowsOf = ({ truth, predicted }: Pick<Case, 'truth' | 'predicted'>): readonly MeasuredRow[] =>
  truth.map((own, at) => ({
    lossSum: 0,
    tokens: 1,
    unigramSum: 0,
    reference: '',
    referenceTokens: 1,
    classes: { truth: own, predicted: predicted[at] ?? -1 },
  }));

describe('metrics of classifiers', () => {
  it('are scikit-learn’s (1e-12), also where a label is never given', () => {
    const cases = fixture<Case[]>('classification', 'metrics.json');
    for (const one of cases) {
      const rows = rowsOf(one);
      const known = rows.flatMap(({ classes }) => classes ?? []);
      expect(confusion(known, one.confusion.length)).to.deep.equal(one.confusion);
      classScores(known, one.confusion.length).forEach((scores, label) => {
        expect(scores.precision).to.be.closeTo(one.precision[label] ?? Number.NaN, 1e-12);
        expect(scores.recall).to.be.closeTo(one.recall[label] ?? Number.NaN, 1e-12);
        expect(scores.f1).to.be.closeTo(one.f1s[label] ?? Number.NaN, 1e-12);
        expect(scores.rows).to.equal(one.support[label]);
      });
      expect(measure('accuracy', rows, { seed: 1 })?.value).to.be.closeTo(one.accuracy, 1e-12);
      expect(measure('f1', rows, { seed: 1, resamples: 50 })?.value).to.be.closeTo(one.f1, 1e-12);
    }
  });

  it('take time and memory by the labels, of which there may be ten thousand, and not by their pairs', () => {
    const labels = 10_000;
    const all = Array.from({ length: labels }, (_, at) => at);
    const rows = rowsOf({ truth: all, predicted: all.map((at) => (at % 2 === 0 ? at : at - 1)) });
    const found = classScores(
      rows.flatMap(({ classes }) => classes ?? []),
      labels,
    );
    expect(found[0]).to.deep.equal({ precision: 0.5, recall: 1, f1: 2 / 3, rows: 1, predicted: 2 });
    expect(measure('f1', rows, { seed: 1, resamples: 20 })?.value).to.be.closeTo(1 / 3, 1e-12);
  });

  it('have intervals around their values, and differences of rows that are drawn together', () => {
    const [, one] = fixture<Case[]>('classification', 'metrics.json');
    if (one === undefined) throw new Error('three cases are recorded');
    const rows = rowsOf(one);
    for (const name of ['accuracy', 'f1'] as const) {
      const found = measure(name, rows, { seed: 1, resamples: 200 });
      expect(found?.value).to.be.within(found?.low ?? 1, found?.high ?? 0);
      expect(found?.low).to.be.below(found?.high ?? 0);
      const none = measureDifference(name, rows, rows, { seed: 1, resamples: 50 });
      expect(none).to.deep.include({ value: 0, low: 0, high: 0 });
    }
  });

  it('leave out a label that no row of a draw has or is given', () => {
    const f1 = macroF1(rowsOf({ truth: [0, 1, 2], predicted: [0, 1, 1] }));
    expect(f1()).to.be.closeTo((1 + 2 / 3 + 0) / 3, 1e-12);
    expect(f1(Uint32Array.of(3, 0, 0))).to.equal(1);
  });
});
