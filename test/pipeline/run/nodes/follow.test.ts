/** A machine that is not node 0, with ranks that only say what a rank says. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { AccelerateEngine } from '../../../../src/compute/accelerate/engine.js';
import type { Diagnostic } from '../../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type { RunEvent } from '../../../../src/language/ir/events.js';
import type { Program } from '../../../../src/language/ir/program.js';
import { follow } from '../../../../src/pipeline/run/nodes/follow.js';
import { type Announcement, announce } from '../../../../src/pipeline/run/nodes/meeting.js';
import { writeAttempt } from '../../../../src/pipeline/stages/train/accelerate/attempt.js';
import { layoutIn, outputFolder } from '../../../../src/pipeline/store/index.js';
import { until } from '../../../helpers/until.js';
import { freshFolder } from '../../../tools/cli/folders.js';

const RENDEZVOUS = 'node0:29400';
const FOLDER = 'work/key/scratch';
const DONE = JSON.stringify({
  event: 'done',
  ending: 'steps',
  step: 1,
  peak: { rss: [1], cuda: [0] },
});

/** What the ranks of each attempt do: `FTPC_PARENT` is theirs alone. */
const RANK = `#!/bin/sh
echo rank $RANK of $WORLD_SIZE >> joined
cat behaviour | sh
`;

describe('a node that follows', () => {
  let folder = '';
  let notes: string[] = [];
  let heard: RunEvent[] = [];
  let said: Diagnostic[] = [];
  let leader: Announcement | undefined;
  const layout = () => layoutIn(folder);
  const shared = (...names: readonly string[]): string => join(layout().shared, FOLDER, ...names);

  beforeEach(() => {
    folder = freshFolder();
    notes = [];
    heard = [];
    said = [];
    mkdirSync(shared(), { recursive: true });
    writeFileSync(join(folder, 'python'), RANK);
    chmodSync(join(folder, 'python'), 0o755);
  });
  afterEach(() => {
    leader?.close('done');
    leader = undefined;
  });

  /** Node 0 says that others may join, and what their ranks then do. */
  function invite(behaviour: string): void {
    writeFileSync(shared('behaviour'), behaviour);
    writeAttempt(outputFolder(shared()));
    leader ??= announce(layout(), RENDEZVOUS, 'run');
    leader.training({ stage: 'adapter', folder: FOLDER });
  }

  function followed(stop = new AbortController().signal, env: Readonly<Record<string, string>> = {}) {
    const engine: AccelerateEngine = {
      python: join(folder, 'python'),
      versions: {},
      device: 'cpu',
      devices: 2,
      sharding: 'none',
      offload: false,
      attention: 'sdpa',
      nodes: { count: 2, node: 1, rendezvous: RENDEZVOUS },
    };
    const real = nodeHost(folder);
    const host = { ...real, env: (name: string) => env[name] ?? real.env(name) };
    const program = { stages: [], budgets: [] } as Partial<Program> as Program;
    return follow(
      { host, layout: layout(), program, engine, threads: 2 },
      { count: 2, node: 1, rendezvous: RENDEZVOUS },
      {
        event: (event) => {
          heard.push(event);
          if (event.type === 'note') notes.push(event.text);
        },
        diagnostic: (diagnostic) => void said.push(diagnostic),
      },
      { stop, kill: new AbortController().signal },
    );
  }

  it('joins what node 0 announces, with the ranks after its own, and ends as that does', async () => {
    invite(`echo '${DONE}'`);
    const end = followed();
    await until(() => notes.length === 2);
    leader?.close('gate_failed');
    expect(await end).to.equal('gate_failed');
    expect(notes).to.deep.equal(['joins the training as node 1 of 2', 'its part of the training is done']);
    const place = { node: 1, nodes: 2, rendezvous: RENDEZVOUS };
    expect(heard[0]).to.deep.equal({
      ...{ type: 'node.waiting', ...place },
      ...{ store: layout().shared, seconds: 0, limit: 900 },
    });
    expect(heard.filter(({ type }) => /^node\.(found|ended)$/.test(type))).to.deep.equal([
      { type: 'node.found', ...place, runId: 'run' },
      { type: 'node.ended', ...place, runId: 'run', status: 'gate_failed' },
    ]);
    expect(readFileSync(shared('joined'), 'utf8').trim().split('\n').sort()).to.deep.equal([
      'rank 2 of 4',
      'rank 3 of 4',
    ]);
  });

  it('joins again when node 0 tries again', async () => {
    invite('exit 4');
    const end = followed();
    await until(() => notes.includes('waits for node 0 to go on'));
    invite(`echo '${DONE}'`);
    await until(() => notes.includes('its part of the training is done'));
    leader?.close('done');
    expect(await end).to.equal('done');
    expect(notes.filter((note) => note.startsWith('joins')).length).to.equal(2);
  });

  it('leaves when it is asked to end', async () => {
    invite('cat > /dev/null');
    const stop = new AbortController();
    const end = followed(stop.signal, { FTPC_RANK_GRACE: '1' });
    await until(() => notes.length === 1);
    stop.abort();
    expect(await end).to.equal('interrupted');
  });

  it('does not join what a run has left that is not alive', async () => {
    invite(`echo '${DONE}'`);
    leader?.close('done');
    leader = undefined;
    expect(await followed(undefined, { FTPC_RANK_START: '2' })).to.equal('failed');
    expect(said.map(({ code }) => code)).to.deep.equal(['FTP1840']);
    expect(notes).to.deep.equal([]);
    expect(heard.map(({ type }) => type)).to.deep.equal(['node.waiting']);
  });

  it('passes on what its ranks wait for, and the line with which they begin', async () => {
    const met = { event: 'note', text: 'waits until the ranks of all 2 nodes have met at node0:29400' };
    const start = (rank: number): object => ({
      ...{ event: 'start', pid: 1, rank, world: 4, device: 'cpu', sharding: 'ddp' },
      ...{ versions: { torch: '2.15.0' }, resumed: null, trained: 1 },
    });
    const lines = [met, start(2), start(3)].map((line) => `echo '${JSON.stringify(line)}'`);
    invite([`test $LOCAL_RANK = 1 && exit`, ...lines, `echo '${DONE}'`].join('\n'));
    const end = followed();
    await until(() => notes.includes('its part of the training is done'));
    leader?.close('done');
    expect(await end).to.equal('done');
    expect(notes.slice(1, -1)).to.deep.equal([met.text, '4 ranks on cpu, ddp: torch 2.15.0']);
  });
});
