import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { measure } from '../../../src/compute/evaluation/metrics/measure.js';
import { stem } from '../../../src/compute/evaluation/metrics/porter.js';
import { metrics } from '../../../src/compute/evaluation/metrics/table.js';
import type { MeasuredRow, MetricName } from '../../../src/compute/evaluation/metrics/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { fixture } from './fixtures.js';

interface Recorded {
  readonly reference: string;
  readonly answer: string;
  /** ROUGE-1, -2, -L and -Lsum; the same of stems. */
  readonly rouge: readonly number[];
  readonly stemmed: readonly number[];
  readonly tokenF1: number;
  readonly bleu: number;
  readonly chrf: number;
}

const path = join(nodeHost().packageFolder, 'test', 'fixtures', 'metrics', 'pairs.jsonl');
const pairs = readFileSync(path, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Recorded);

const row = ({ reference, answer }: Recorded): MeasuredRow => ({
  lossSum: 0,
  tokens: 1,
  unigramSum: 0,
  referenceTokens: 1,
  reference,
  answer,
});

const value = (name: MetricName, of: readonly Recorded[], args = {}): number =>
  measure(name, of.map(row), { args, seed: 1, resamples: 1 })?.value ?? Number.NaN;

const isClose = (found: number, recorded: number | undefined): boolean =>
  Math.abs(found - (recorded ?? Number.NaN)) < 1e-9;

describe('metrics of 1,000 recorded pairs', () => {
  it('are rouge_score’s, with and without stems', () => {
    for (const [at, name] of (['rouge_1', 'rouge_2', 'rouge_l', 'rouge_lsum'] as const).entries())
      for (const stemmer of [false, true]) {
        const part = metrics[name].part({ stemmer });
        const differing = pairs.filter(
          (pair) => !isClose(part(row(pair)).sum, (stemmer ? pair.stemmed : pair.rouge)[at]),
        );
        expect(differing, name).to.deep.equal([]);
      }
  });

  it('are those of the script of SQuAD 2.0', () => {
    const part = metrics.token_f1.part({});
    expect(pairs.filter((pair) => !isClose(part(row(pair)).sum, pair.tokenF1))).to.deep.equal([]);
  });

  it('are sacrebleu’s, of each pair alone and of all of them together', () => {
    const runs = fixture<{ start: number; count: number; bleu: number; chrf: number }[]>(
      'metrics',
      'corpora.json',
    );
    for (const name of ['bleu', 'chrf'] as const) {
      expect(pairs.filter((pair) => !isClose(value(name, [pair]), pair[name]))).to.deep.equal([]);
      for (const run of runs)
        expect(value(name, pairs.slice(run.start, run.start + run.count))).to.be.closeTo(run[name], 1e-9);
    }
  });

  it('stem as NLTK', () => {
    for (const [word, recorded] of Object.entries(fixture<Record<string, string>>('metrics', 'stems.json')))
      expect(stem(word), word).to.equal(recorded);
  });
});
