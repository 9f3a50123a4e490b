import { expect } from 'chai';
import type { RunEvent } from '../../../../src/language/ir/events.js';
import { sayings } from '../../../../src/pipeline/run/nodes/sayings.js';

describe('what a node says that waits for node 0', () => {
  it('is how long it waits: more and more rarely', () => {
    const { said, waiting } = heard();
    for (const seconds of [0, 0.5, 9.9, 10, 15, 20, 39, 41, 600]) waiting(seconds);
    expect(said.flatMap((event) => (event.type === 'node.waiting' ? [event.seconds] : []))).to.deep.equal([
      0, 10, 20, 41, 600,
    ]);
  });

  it('is which run it has found, and how that ended', () => {
    const { said, found, ended } = heard();
    found('run-1');
    found('run-1');
    ended('run-1', 'gate_failed');
    const place = { node: 1, nodes: 2, rendezvous: 'box:29400', runId: 'run-1' };
    expect(said).to.deep.equal([
      { type: 'node.found', ...place },
      { type: 'node.ended', ...place, status: 'gate_failed' },
    ]);
  });
});

function heard() {
  const said: RunEvent[] = [];
  const place = { node: 1, count: 2, rendezvous: 'box:29400', store: '/shared/.ftp', limit: 900 };
  return { said, ...sayings(place, (event) => void said.push(event)) };
}
