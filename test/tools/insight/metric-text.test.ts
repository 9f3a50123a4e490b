import { expect } from 'chai';
import { figureText, metricText } from '../../../src/tools/insight/metric-text.js';

describe('metrics for people', () => {
  it('are percentages where they are shares of rows', () => {
    expect(metricText('exact_match', 0.93333)).to.equal('93.33%');
    expect(metricText('quality.baseline.accuracy', 0)).to.equal('0%');
    expect(metricText('rouge_l', 0.31)).to.equal('0.31');
    expect(
      figureText('exact_match', { metrics: { exact_match: 0.5, 'baseline.exact_match': 0.25 } }),
    ).to.equal('exact match 25% → 50%');
  });

  it('count dropped rows, with their reasons, the most common first', () => {
    const dropped = (found: Readonly<Record<string, number>>) =>
      figureText('dropped', { metrics: { dropped: 0.1 }, dropped: found });
    expect(dropped({ leak: 8 })).to.equal('8 dropped: 8 leaks');
    expect(dropped({ duplicate: 1, leak: 6 })).to.equal('7 dropped: 6 leaks, 1 duplicate');
    expect(dropped({})).to.equal('none dropped');
    expect(figureText('dropped', { metrics: { dropped: 0.1 } })).to.equal('dropped 10%');
  });
});
