import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type RanksEnd, type RanksTask, runRanks } from '../../../src/compute/accelerate/ranks.js';
import type { RankEvent } from '../../../src/compute/accelerate/spec.js';
import type { FakeAct } from './fake-rank.js';

const FAKE = fileURLToPath(new URL('./fake-rank.js', import.meta.url));
/** Long enough never to be reached. */
const LONG = 600_000;

const start = (rank: number): FakeAct => ({
  say: {
    ...{ event: 'start', pid: 1, rank, world: 2, device: 'cpu', sharding: 'ddp' },
    ...{ versions: {}, resumed: null, trained: 10 },
  },
});
const step = (number: number): FakeAct => ({
  say: {
    ...{ event: 'step', step: number, epoch: 1, loss: 2, learningRate: 0.1, gradNorm: 1 },
    ...{ tokens: 10, seconds: 0.1, memory: null, rss: 1000 },
  },
});
const done: FakeAct = {
  say: { event: 'done', ending: 'steps', step: 1, peak: { rss: [1, 1], cuda: [0, 0] } },
};
const error = (rank: number, kind: string, message = 'so it is'): FakeAct => ({
  say: { event: 'error', rank, kind, message },
});
const interrupted: FakeAct = { say: { event: 'interrupted', step: 1, saved: true } };

interface Played {
  readonly end: RanksEnd;
  readonly events: readonly (readonly [rank: number, event: RankEvent])[];
  readonly printed: string;
  readonly bytes: number;
}

async function play(
  acts: readonly (readonly FakeAct[])[],
  options: {
    readonly bounds?: Partial<RanksTask['bounds']>;
    readonly python?: string;
    readonly stopAt?: (event: RankEvent) => boolean;
  } = {},
): Promise<Played> {
  const stop = new AbortController();
  const events: [number, RankEvent][] = [];
  let printed = '';
  let bytes = 0;
  const end = await runRanks(
    {
      python: options.python ?? process.execPath,
      args: [FAKE],
      cwd: process.cwd(),
      environment: { FAKE_RANKS: JSON.stringify(Object.fromEntries(acts.entries())) },
      devices: acts.length,
      threads: 1,
      bounds: { start: LONG, silence: LONG, grace: LONG, ...options.bounds },
    },
    {
      event(rank, event) {
        events.push([rank, event]);
        if (options.stopAt?.(event)) stop.abort();
      },
      printed: (_, text) => {
        printed += text;
      },
      memory: (most) => {
        bytes = most;
      },
    },
    stop.signal,
  );
  return { end, events, printed, bytes };
}

const failureOf = ({ end }: Played) => (end.how === 'failed' ? end.failure : undefined);

describe('ranks', function () {
  this.timeout(120_000);

  it('are heard to their end', async () => {
    const played = await play([
      [start(0), { print: 'not an event' }, step(1), { fail: 'a warning' }, done],
      [start(1)],
    ]);
    expect(played.end).to.deep.equal({ how: 'done', ending: 'steps' });
    expect(played.events.map(([, { event }]) => event)).to.have.members(['start', 'start', 'step', 'done']);
    expect(played.printed).to.include('not an event').and.include('a warning');
  });

  it('end with the one that says why it ends', async () => {
    const failure = failureOf(
      await play([
        [start(0), { wait: 'forever' }],
        [start(1), error(1, 'not_finite', 'the loss is'), { exit: 4 }],
      ]),
    );
    expect(failure).to.include({ why: 'said', rank: 1 });
    expect(failure?.why === 'said' && failure.error).to.include({
      kind: 'not_finite',
      message: 'the loss is',
    });
  });

  it('end with the one that is killed, whatever the others say of it', async () => {
    const failure = failureOf(
      await play([
        [start(0), error(0, 'distributed', 'connection reset by peer'), { wait: 'forever' }],
        [start(1), { fail: 'last words' }, { kill: 'SIGKILL' }],
      ]),
    );
    expect(failure).to.deep.include({ why: 'killed', rank: 1, signal: 'SIGKILL', tail: ['last words'] });
  });

  it('tell what one wrote that ended without a word', async () => {
    const failure = failureOf(await play([[{ fail: 'Fatal: no such thing' }, { exit: 7 }]]));
    expect(failure).to.deep.equal({ why: 'ended', rank: 0, code: 7, tail: ['Fatal: no such thing'] });
  });

  it('are no success without their last word', async () => {
    expect(failureOf(await play([[start(0)]]))).to.include({ why: 'ended', code: 0 });
  });

  it('say that there is no such interpreter', async () => {
    const failure = failureOf(await play([[], []], { python: '/nowhere/python' }));
    expect(failure?.why).to.equal('not_started');
    expect(failure?.why === 'not_started' && failure.error.code).to.equal('ENOENT');
  });

  it('end with one that gives no sign of life', async () => {
    const bounds = { silence: 1000 };
    const failure = failureOf(await play([[start(0), step(1), { kill: 'SIGSTOP' }]], { bounds }));
    expect(failure).to.include({ why: 'silent', rank: 0, isStarting: false });
    if (process.platform === 'linux') expect(failure).to.include({ isStopped: true });
  });

  it('end with one that never starts', async () => {
    const failure = failureOf(await play([[{ wait: 'forever' }]], { bounds: { start: 1000 } }));
    expect(failure).to.include({ why: 'silent', isStarting: true, isStopped: false });
  });

  it('save where they are asked to end', async () => {
    const asks = (event: RankEvent): boolean => event.event === 'step';
    const acts = [
      [start(0), step(1), { wait: 'stop' } as const, interrupted],
      [start(1), { wait: 'stop' } as const],
    ];
    const { end } = await play(acts, { stopAt: asks });
    expect(end).to.deep.equal({ how: 'interrupted', saved: true });
  });

  it('are killed where they do not end in time', async () => {
    const asks = (event: RankEvent): boolean => event.event === 'step';
    const acts = [[start(0), step(1), { wait: 'forever' } as const]];
    const { end } = await play(acts, { stopAt: asks, bounds: { grace: 500 } });
    expect(end).to.deep.equal({ how: 'interrupted', saved: false });
  });

  it('end at once where they are asked to before they have begun: there is nothing to save', async () => {
    const note: FakeAct = { say: { event: 'note', text: 'waits until the ranks of all 2 nodes have met' } };
    const { end } = await play([[note, { wait: 'forever' }]], { stopAt: ({ event }) => event === 'note' });
    expect(end).to.deep.equal({ how: 'interrupted', saved: true });
  });

  it('say that somebody else ended them', async () => {
    const failure = failureOf(await play([[start(0), step(1), interrupted]]));
    expect(failure).to.include({ why: 'killed', signal: 'SIGTERM' });
  });
});
