import { expect } from 'chai';
import { unitHash } from '../../../../src/pipeline/stages/data/hashes.js';
import { assignStratified, splitNames } from '../../../../src/pipeline/stages/data/split.js';
import { cleanUp, lines, runData } from './stage.js';

/** Rows of each stratum in each split, where each group is a row. */
function countsOf(
  rows: readonly number[],
  shares: { train: number; valid: number; test: number },
): number[][] {
  const strata = rows.flatMap((count, stratum) => Array.from({ length: count }, () => stratum));
  const groups = strata.map((stratum, i) => ({ order: unitHash(5, `${i}`), rows: 1, stratum }));
  const splitOf = assignStratified(
    groups.toSorted((a, b) => a.order - b.order),
    shares,
  );
  const splits = groups.map(splitOf);
  return rows.map((_, stratum) =>
    splitNames.map((_, split) => strata.filter((s, i) => s === stratum && splits[i] === split).length),
  );
}

describe('data stage: stratified splits', () => {
  afterEach(cleanUp);

  it('has the shares of every stratum to within a row, and those of the whole', () => {
    for (const shares of [
      { train: 0.8, valid: 0.1, test: 0.1 },
      { train: 0.9, valid: 0.1, test: 0 },
      { train: 0.5, valid: 0.25, test: 0.25 },
    ])
      for (const rows of [[500, 300, 200], [97, 13, 5, 1], Array.from({ length: 40 }, (_, i) => 3 + i)]) {
        const counts = countsOf(rows, shares);
        const total = rows.reduce((sum, count) => sum + count, 0);
        for (const [stratum, each] of counts.entries())
          for (const [split, name] of splitNames.entries())
            expect(
              Math.abs((each[split] ?? 0) - (rows[stratum] ?? 0) * shares[name]),
              `${name} of ${rows[stratum]}`,
            ).to.be.below(1);
        for (const [split, name] of splitNames.entries())
          expect(
            counts.reduce((sum, each) => sum + (each[split] ?? 0), 0),
            name,
          ).to.be.closeTo(total * shares[name], 1);
      }
  });

  it('spreads labels, keeps equal rows together, and warns of those that are too few', async () => {
    const rows = [
      ...Array.from({ length: 90 }, (_, i) => ({ text: `ham ${i}`, label: 'ham' })),
      ...Array.from({ length: 10 }, (_, i) => ({ text: `spam ${i}`, label: 'spam' })),
      { text: 'odd', label: 'rare' },
      { text: 'ham 1', label: 'ham' },
    ];
    const run = await runData(
      { 'rows.jsonl': lines(...rows) },
      {
        split: { train: 0.8, valid: 0.1, test: 0.1, stratify: 'label' },
        dedupe: [{ call: 'exact', args: {} }],
      },
    );
    const count = (label: string): readonly number[] =>
      splitNames.map((name) => run.rows(name).filter(({ row }) => row['label'] === label).length);
    expect(count('ham')).to.deep.equal([72, 9, 9]);
    expect(count('spam')).to.deep.equal([8, 1, 1]);
    expect(count('rare')).to.deep.equal([1, 0, 0]);
    expect(run.warnings.map(({ code, notes }) => [code, notes])).to.deep.equal([
      ['FTP0654', ['"rare" has 1 row, none in valid and test']],
    ]);
  });
});
