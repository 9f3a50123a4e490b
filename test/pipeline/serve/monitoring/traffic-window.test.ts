import { expect } from 'chai';
import { CELL, TrafficWindow } from '../../../../src/pipeline/serve/monitoring/traffic-window.js';
import { requestLine } from '../request-lines.js';

describe('the last ten minutes', () => {
  const START = 1_700_000_000_000;
  const window = new TrafficWindow();
  for (let second = 0; second < 3600; second++)
    window.add(
      requestLine({
        ...{ at: START + 1000 * second, seconds: 3, queueSeconds: 1, answerTokens: 10 },
        status: second % 10 === 0 ? 500 : 200,
      }),
    );
  const now = START + 3_600_000;
  const points = window.points(now);

  it('are cells of five seconds that have ended, however long it ran before', () => {
    expect(points).to.have.length(119);
    expect(points.at(-1)?.at).to.equal(Math.floor(now / 1000 / CELL) * CELL * 1000);
    for (const point of points) expect(point.requests).to.equal(5);
    expect(points.reduce((sum, { errors }) => sum + errors, 0)).to.be.within(59, 60);
    expect(points[60]).to.include({ tokensPerSecond: 10 });
    expect(points[60]?.p50).to.be.closeTo(3, 0.03);
  });

  it('have as many requests at work as rate and duration make (Little)', () => {
    for (const { running, waiting } of points.slice(0, -2)) {
      expect(running).to.be.closeTo(2, 1e-6);
      expect(waiting).to.be.closeTo(1, 1e-6);
    }
  });

  it('are empty where nothing came, and keep what was seen in between', () => {
    const later = now + 20 * 60_000;
    expect(new Set(window.points(later).map(({ requests }) => requests))).to.deep.equal(new Set([0]));
    expect(window.points(later)[0]).to.include({ p50: null, running: 0 });
    window.sample(later, 7, 2);
    window.sample(later, 3, 4);
    expect(window.points(later + 1000 * CELL).at(-1)).to.include({ running: 7, waiting: 4 });
    expect(window.seconds(later).count).to.equal(0);
  });
});
