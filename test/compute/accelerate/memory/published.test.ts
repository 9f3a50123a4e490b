/** Published peaks of GPU memory: how far the model is from them at most, by what they are of. */
import { expect } from 'chai';
import { publishedRows } from '../../../../bench/plans/published/rows.js';
import { GROUPS, scoreOf, summaryOf, verdictOf } from '../../../../bench/plans/published/scores.js';

describe('published peaks of GPU memory', () => {
  const rows = publishedRows();
  const scores = rows.flatMap((row) => scoreOf(row) ?? []);
  const summaries = (name: keyof typeof GROUPS, some = scores) =>
    summaryOf(some.filter(({ row }) => GROUPS[name](row)));

  it('are what one GPU allocates, where lengths are known: 3 % in the median, 10 % in nine of ten', () => {
    const { count, median, p90, coverage } = summaries('allocated, one GPU, known lengths');
    expect(count).to.be.greaterThan(35);
    expect(median).to.be.lessThan(0.02);
    expect(p90).to.be.lessThan(0.08);
    expect(coverage).to.be.at.least(0.9);
  });

  it('are what each of several allocates: 8 % in the median', () => {
    const known = scores.filter(({ row }) => row.view === 'before');
    expect(summaries('sharded, allocated, known lengths', known).median).to.be.lessThan(0.08);
    expect(summaries('sharded, allocated, known lengths', known).p90).to.be.lessThan(0.1);
    expect(summaries('sharded, allocated, known lengths').p90).to.be.lessThan(0.08);
    expect(summaries('sharded, other measures').median).to.be.lessThan(0.08);
  });

  it('are 3 % off at most nine times of ten, where kernels and versions of later rows are known', () => {
    const later = scores.filter(({ row }) => row.view === 'after');
    for (const name of ['allocated, one GPU, known lengths', 'sharded, allocated, known lengths'] as const) {
      const { count, median, p90 } = summaries(name, later);
      expect(count).to.be.greaterThan(95);
      expect(median).to.be.lessThan(0.01);
      expect(p90).to.be.lessThan(0.03);
    }
  });

  it('are the same of the rows that came last', () => {
    const last = scores.filter(({ row }) => row.view === 'last');
    const { count, median, p90, coverage } = summaries('allocated, one GPU, known lengths', last);
    expect(count).to.equal(61);
    expect(median).to.be.lessThan(0.01);
    expect(p90).to.be.lessThan(0.03);
    expect(coverage).to.equal(1);
  });

  it('are within the printed intervals nine times of ten', () => {
    for (const view of ['before', 'after', 'last']) {
      const some = scores.filter(({ row }) => row.view === view);
      expect(summaryOf(some).coverage, view).to.be.at.least(0.9);
    }
  });

  it('have no run out of memory that is called a fit', () => {
    const called = rows.filter((row) => row.outcome && verdictOf(row, row.outcome.capacity) === 'fits');
    expect(called.length).to.be.greaterThan(150);
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
