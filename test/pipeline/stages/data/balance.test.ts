import { expect } from 'chai';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import { largestCap } from '../../../../src/pipeline/stages/data/balance.js';
import { cleanUp, jsonl, lines, pair, runData } from './stage.js';

const of = (domain: string, count: number): readonly object[] =>
  Array.from({ length: count }, (_, i) => pair(`${domain} ${i}`, `answer ${domain} ${i}`, { domain }));
const rows = lines(...of('law', 120), ...of('code', 30), ...of('art', 20), ...of('maths', 10));
const balance = { by: 'domain', at_most: 0.4 };

const sharesOf = (found: readonly { row: Record<string, unknown> }[]): ReadonlyMap<unknown, number> => {
  const counts = new Map<unknown, number>();
  for (const { row } of found) counts.set(row['domain'], (counts.get(row['domain']) ?? 0) + 1);
  return counts;
};

describe('data stage: balance', () => {
  afterEach(cleanUp);

  it('finds the most rows that each value may have', () => {
    for (const counts of [
      [120, 30, 20, 10],
      [7, 7, 7],
      [1000, 1, 1, 1],
      [5, 4, 3, 2, 1],
    ])
      for (const most of [0.3, 0.34, 0.4, 0.5, 1]) {
        const share = (cap: number): number =>
          cap / counts.reduce((sum, count) => sum + Math.min(count, cap), 0);
        const fits = Array.from({ length: Math.max(...counts) + 1 }, (_, cap) => cap).filter(
          (cap) => cap === 0 || share(cap) <= most + 1e-9,
        );
        expect(largestCap(counts, most), `${counts} ${most}`).to.equal(Math.max(...fits));
      }
  });

  it('drops the surplus of training rows, lists it, and says what is left', async () => {
    const run = await runData({ 'rows.jsonl': rows }, { balance });
    const kept = sharesOf(run.rows('train'));
    expect([...kept.values()]).to.deep.equal([40, 30, 20, 10]);
    expect(run.result.metrics['largest_share']).to.equal(0.4);
    expect(run.report.counts).to.deep.equal({ unbalanced: 80 });
    expect(run.report.dropped[0]?.detail).to.equal('120 training rows have "law" in `domain`; 40 stay');
    expect(JSON.parse(run.read('report.json'))['balance']).to.deep.equal({
      by: 'domain',
      atMost: 0.4,
      values: [
        { value: 'law', rows: 120, kept: 40 },
        { value: 'code', rows: 30, kept: 30 },
        { value: 'art', rows: 20, kept: 20 },
        { value: 'maths', rows: 10, kept: 10 },
      ],
    });
    const again = await runData({ 'rows.jsonl': rows }, { balance });
    expect(again.read('train.jsonl')).to.equal(run.read('train.jsonl'));
  });

  it('balances what is trained on, within a limit and next to general rows', async () => {
    const general = lines(...Array.from({ length: 50 }, (_, i) => pair(`general ${i}`, `${i}`)));
    const run = await runData(
      { 'rows.jsonl': rows, 'general.jsonl': general },
      {
        balance,
        split: { train: 0.8, valid: 0.2, test: 0, seed: 3 },
        mix: { general: jsonl('general.jsonl'), share: 0.1 },
        limit: 50,
      },
    );
    const train = run.rows('train');
    const own = train.filter(({ file }) => file === 'rows.jsonl');
    expect(Math.max(...sharesOf(own).values())).to.be.at.most(0.4 * own.length);
    expect(train.length - own.length).to.equal(Math.round(train.length * 0.1));
    expect(train.length + run.rows('valid').length).to.equal(50);
    expect(run.report.counts['unbalanced']).to.be.above(0);
  });

  it('says where a mix changes it, and refuses what cannot be', async () => {
    const more = lines(...of('law', 60).map((row) => ({ ...row, instruction: JSON.stringify(row) })));
    const mixed = await runData(
      { 'rows.jsonl': rows, 'law.jsonl': more },
      { balance, mix: [{ source: jsonl('law.jsonl'), epochs: 4 }] },
    );
    expect(mixed.notes.at(-1)).to.match(/^"law" has \d\d\.\d% of the training rows, more than `balance`/);
    const two = await runData(
      { 'rows.jsonl': lines(...of('law', 20), ...of('code', 20)) },
      { balance },
    ).catch((error: unknown) => error);
    expect(two).to.be.instanceOf(UserError);
    expect((two as UserError).diagnostic).to.include({ code: 'FTP0653' });
    const ids = await runData(
      { 'rows.jsonl': lines(...Array.from({ length: 10_002 }, (_, i) => pair(`${i}`, 'a', { domain: i }))) },
      { balance },
    ).catch((error: unknown) => error);
    expect((ids as UserError).diagnostic).to.include({ code: 'FTP0652' });
    const without = await runData(
      { 'rows.jsonl': rows + lines(pair('a', 'b')) },
      { balance: { by: 'domain', at_most: 1 } },
    );
    expect(without.report.dropped[0]?.detail).to.equal('no column `domain`, by which the rows are balanced');
  });
});
