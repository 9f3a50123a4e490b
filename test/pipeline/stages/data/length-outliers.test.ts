import { expect } from 'chai';
import { fencesOf, quantileOf } from '../../../../src/pipeline/stages/data/length-outliers.js';
import { cleanUp, lines, pair, runData } from './stage.js';

const usual = Array.from({ length: 60 }, (_, i) => pair(`question ${i}`, 'x'.repeat(80 + (i % 20))));
const long = pair('why', 'y'.repeat(5000));
const short = pair('a', 'b');
const rows = { 'rows.jsonl': lines(...usual, long, short) };

describe('data stage: outliers of length', () => {
  afterEach(cleanUp);

  it('has the quartiles of numpy, and fences on the logarithm', () => {
    expect([0.25, 0.5, 0.75, 0.9].map((part) => quantileOf([1, 2, 4, 8, 16], part))).to.deep.equal([
      2,
      4,
      8,
      8 + 8 * 0.6000000000000001,
    ]);
    // log 2 … log 8: a range of log 4; 1.5 of it outside
    const [fence] = fencesOf([1, 2, 4, 8, 16], { iqr: 1.5 });
    expect(fence?.low).to.be.closeTo(2 / 8, 1e-12);
    expect(fence?.high).to.be.closeTo(8 * 8, 1e-9);
    // rows of one length: twice as much is still usual
    const [same] = fencesOf([100, 100, 100, 100], { iqr: 3 });
    expect([same?.low, same?.high].map((value) => Math.round(value ?? 0))).to.deep.equal([50, 200]);
  });

  it('lists them with rule and length, warns, drops, or keeps them', async () => {
    const warned = await runData(rows, { outliers: { action: 'warn' } });
    expect(warned.report.warnings.map(({ line, reason }) => [line, reason])).to.deep.equal([
      [61, 'outlier'],
      [62, 'outlier'],
    ]);
    expect(warned.report.warnings[0]?.detail).to.match(
      /^has a length of 500[45] \(iqr 3: from \d+ to \d+ is usual\)$/,
    );
    expect(warned.notes).to.deep.equal(['2 rows of unusual length: report.json lists them']);
    expect(warned.result.metrics).to.deep.include({ rows: 62, outliers: 2 });

    const dropped = await runData(rows, { outliers: { iqr: 3, action: 'drop' } });
    expect(dropped.report.counts).to.deep.equal({ outlier: 2 });
    expect(dropped.report.dropped.map(({ line }) => line)).to.deep.equal([61, 62]);
    expect(dropped.rows('train')).to.have.length(60);

    const kept = await runData(rows, { outliers: { quantile: 0.99, action: 'keep' } });
    expect(kept.notes).to.deep.equal([]);
    expect(kept.report.warnings.map(({ line }) => line)).to.deep.equal([61]);
    expect(kept.report.warnings[0]?.detail).to.match(
      /^has a length of 500[45] \(quantile 99%: up to \d+ is usual\)$/,
    );
  });

  it('finds what the sorted lengths of all rows say', async () => {
    const lengths = Array.from({ length: 500 }, (_, i) => 30 + ((i * i * 7919) % 211) * ((i % 7) + 1));
    const { report } = await runData(
      { 'rows.jsonl': lines(...lengths.map((length, i) => pair(`${i}`.padStart(4), 'x'.repeat(length)))) },
      { outliers: { quantile: 0.9, action: 'drop' } },
    );
    // the text has a line break between question and answer
    const measured = lengths.map((length) => length + 5);
    const most = quantileOf(
      [...measured].sort((a, b) => a - b),
      0.9,
    );
    const expected = measured.flatMap((length, i) => (length > most * (1 + 1e-9) ? [i + 1] : []));
    expect(report.dropped.map(({ line }) => line)).to.deep.equal(expected);
    expect(expected).to.have.length.above(40);
  });

  it('measures rows of tokens by their tokens', async () => {
    const ids = (length: number): object => ({ input_ids: Array.from({ length }, () => 100_000) });
    const { report } = await runData(
      { 'rows.jsonl': lines(...Array.from({ length: 20 }, (_, i) => ids(10 + i)), ids(4000)) },
      { outliers: { action: 'warn' } },
    );
    expect(report.warnings.map(({ detail }) => detail.slice(0, 21))).to.deep.equal(['has a length of 4000 ']);
  });
});
