import { expect } from 'chai';
import pc from 'picocolors';
import { barLine } from '../../../../src/tools/cli/progress/bars.js';

describe('the bar of a training', () => {
  const event = {
    type: 'stage.progress',
    stage: 'adapter',
    done: 26,
    total: 478,
    unit: 'steps',
    loss: 3.665,
    tokensPerSecond: 2342,
  } as const;
  const line = (width: number): string =>
    barLine({ event, left: '3 min 05 s left' }, 26 / 478, { colours: pc.createColors(false), width });

  it('shows all its figures on a terminal of 80 columns', () => {
    expect(line(80)).to.equal(
      'adapter █░░░░░░░░░ 26/478 steps · loss 3.665 · 2342 tokens/s · 3 min 05 s left',
    );
    expect(line(120)).to.match(/^adapter █░{23} 26\/478 steps .* left$/);
  });

  it('is never wider than the terminal, as it could not be written over', () => {
    for (const width of [40, 60, 80, 100]) expect(line(width).length).to.be.at.most(width);
    expect(line(40)).to.match(/…$/);
  });
});
