/** Published peaks of GPU memory: how far the model is from them at most, by what they are of. */
import { expect } from 'chai';
import { publishedRows } from '../../../../bench/plans/published/rows.js';
import { GROUPS, scoreOf, summaryOf, verdictOf } from '../../../../bench/plans/published/scores.js';

describe('published peaks of GPU memory', () => {
  const rows = publishedRows();
  const scores = rows.flatMap((row) => scoreOf(row) ?? []);
  const summaries = (name: keyof typeof GROUPS) => summaryOf(scores.filter(({ row }) => GROUPS[name](row)));

  it('are what one GPU allocates, where lengths are known: 3 % in the median, 10 % in nine of ten', () => {
    const { count, median, p90, coverage } = summaries('allocated, one GPU, known lengths');
    expect(count).to.be.greaterThan(35);
    expect(median).to.be.lessThan(0.02);
    expect(p90).to.be.lessThan(0.08);
    expect(coverage).to.be.at.least(0.9);
  });

  it('are what each of several allocates: 8 % in the median', () => {
    expect(summaries('sharded, allocated').median).to.be.lessThan(0.08);
    expect(summaries('sharded, other measures').median).to.be.lessThan(0.08);
  });

  it('are within the printed intervals nine times of ten', () => {
    expect(summaryOf(scores).coverage).to.be.at.least(0.9);
  });

  it('have no run out of memory that is called a fit', () => {
    const called = rows.filter((row) => row.outcome && verdictOf(row, row.outcome.capacity) === 'fits');
    expect(called.filter(({ outcome }) => !outcome?.fits)).to.deep.equal([]);
  });

  it('are closer to the model than to any public formula', () => {
    for (const [name, has] of Object.entries(GROUPS)) {
      if (name.includes('assumed')) continue;
      const some = scores.filter(({ row }) => has(row));
      const { median } = summaryOf(some);
      for (const formula of ['accelerate', 'transformer math', 'unsloth'] as const) {
        const errors = some.flatMap(({ others }) => others[formula] ?? []).map(Math.abs);
        if (errors.length === 0) continue;
        errors.sort((a, b) => a - b);
        expect(median, `${name}: ${formula}`).to.be.lessThan(errors[errors.length >> 1] ?? 0);
      }
    }
  });
});
