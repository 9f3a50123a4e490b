import { expect } from 'chai';
import pc from 'picocolors';
import type { RunEvent, StageSummary } from '../../../src/language/ir/events.js';
import { resumed } from '../../../src/pipeline/planner/reasons.js';
import { sentenceOf } from '../../../src/tools/cli/progress/sentences.js';
import { summaryLines } from '../../../src/tools/cli/summary.js';

const stage: StageSummary = {
  name: 'adapter',
  kind: 'train',
  status: 'failed',
  seconds: 81,
  peakMemoryBytes: 2 ** 30,
  outputs: {},
  metrics: {},
};
const plain = pc.createColors(false);

describe('a stage that was interrupted', () => {
  it('is called so for people, and only where it was', () => {
    const interrupted = { ...stage, interrupted: true } as const;
    expect(summaryLines([interrupted], plain)[1]).to.match(/^adapter +interrupted +1 min 21 s/);
    expect(summaryLines([stage], plain)[1]).to.match(/^adapter +failed +1 min 21 s/);
    const { name, ...rest } = interrupted;
    expect(sentenceOf({ type: 'stage.finished', stage: name, ...rest }, plain)).to.match(
      /^adapter interrupted in 1 min 21 s/,
    );
  });
});

describe('a train stage that left rows out', () => {
  it('says how many, and why', () => {
    const done = { ...stage, status: 'done', metrics: { steps: 3 }, dropped: { too_long: 2 } } as const;
    expect(summaryLines([done], plain)[1]).to.match(/steps 3 · 2 dropped: 2 too long$/);
    expect(summaryLines([{ ...done, dropped: undefined }], plain)[1]).to.match(/steps 3$/);
  });
});

describe('a stage that starts', () => {
  const begun = { type: 'stage.started', stage: 'adapter', kind: 'train', key: 'k', parts: {} } as const;
  it('says why it runs; one that resumes, or is up to date, has no other reason than that', () => {
    const first = [{ code: 'first_run' }];
    expect(sentenceOf({ ...begun, action: 'run', reasons: first }, plain)).to.equal(
      'adapter runs (has not run yet)',
    );
    const resumes = { ...begun, action: 'resume', reasons: [resumed('k')] } as const;
    expect(sentenceOf(resumes, plain)).to.equal('adapter resumes from its checkpoint');
    expect(sentenceOf({ ...begun, action: 'cached', reasons: [] }, plain)).to.equal('adapter is up to date');
  });
});

describe('a machine that follows another', () => {
  const place = { node: 1, nodes: 2, rendezvous: 'box:29400' };
  const waiting = { type: 'node.waiting', ...place, store: '/shared/.ftp', limit: 900 } as const;

  it('says what it waits for and for how long, where the progress is, and how that ended', () => {
    const events: readonly RunEvent[] = [
      { ...waiting, seconds: 0 },
      { ...waiting, seconds: 80 },
      { type: 'node.found', ...place, runId: 'run-1' },
      { type: 'node.ended', ...place, runId: 'run-1', status: 'gate_failed' },
    ];
    expect(events.map((event) => sentenceOf(event, plain))).to.deep.equal([
      'node 1 of 2 waits for node 0, at most 15 min 00 s: a run with `--rendezvous box:29400` whose store is /shared/.ftp',
      'still waits for node 0 of `--rendezvous box:29400`: 1 min 20 s of 15 min 00 s',
      'node 0 is there: the progress of run run-1 is in its log, and this node joins its trainings',
      'node 0 has ended its run: a requirement does not hold, and its log says which',
    ]);
  });
});
