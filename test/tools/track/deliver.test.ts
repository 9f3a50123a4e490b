import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { RunEvent } from '../../../src/language/ir/events.js';
import { layoutIn, openJournal } from '../../../src/pipeline/store/index.js';
import {
  deliverPending,
  keepSpool,
  type Spool,
  spools,
  type Tracking,
  undelivered,
} from '../../../src/tools/track/index.js';
import { follow } from '../../../src/tools/track/live.js';
import { trackedRun } from '../../../src/tools/track/tracked-run.js';

const KEY = 'b'.repeat(64);

const folders: string[] = [];
function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-track-'));
  folders.push(folder);
  return folder;
}

const begun: RunEvent = {
  type: 'stage.started',
  stage: 'adapter',
  kind: 'train',
  action: 'run',
  reasons: [],
  key: KEY,
  parts: { 'settings.optimizer.rate': '0.001', 'settings.order': '"shuffled"', kind: 'train' },
};
const step = (number: number): RunEvent => ({
  type: 'stage.progress',
  stage: 'adapter',
  done: number,
  total: 4,
  unit: 'steps',
  step: number,
  loss: 1 / number,
  learningRate: 1e-3,
});
const started = (runId: string): RunEvent => ({
  type: 'run.started',
  version: 1,
  runId,
  pipeline: 'legal.ftp',
  engine: 'embedded',
  runtime: 'onnx 1',
  ftpc: '0',
});

function journal(cwd: string, runId: string, events: readonly RunEvent[], from: number): void {
  let at = from;
  const file = openJournal(layoutIn(cwd), runId, () => at++);
  for (const event of [started(runId), begun, ...events]) file.append(event);
  file.close();
}

/** More events of a run that goes on. */
function append(cwd: string, runId: string, events: readonly RunEvent[]): void {
  let at = 5000;
  const file = openJournal(layoutIn(cwd), runId, () => at++);
  for (const event of events) file.append(event);
  file.close();
}

const finished: RunEvent = {
  type: 'stage.finished',
  stage: 'adapter',
  kind: 'train',
  status: 'done',
  seconds: 1,
  peakMemoryBytes: 1,
  outputs: {},
  metrics: { valid_loss: 0.25 },
};

/** What TensorBoard would read; nothing before there is something. */
function curveBytes(cwd: string): Buffer {
  const folder = join(cwd, 'runs/legal-adapter-bbbbbbbb');
  const [name] = existsSync(folder) ? readdirSync(folder) : [];
  return name === undefined ? Buffer.alloc(0) : readFileSync(join(folder, name));
}

const grown = async (cwd: string, than: number): Promise<Buffer> => {
  for (;;) {
    const bytes = curveBytes(cwd);
    if (bytes.length > than) return bytes;
    await sleep(5);
  }
};

const beginsWith = (whole: Buffer, beginning: Buffer): boolean =>
  whole.subarray(0, beginning.length).equals(beginning);

const keep = (cwd: string, runId: string, trackings: readonly Pick<Tracking, 'tracker' | 'args'>[]): void =>
  keepSpool(nodeHost(cwd), {
    version: 1,
    runId,
    pipeline: 'legal.ftp',
    trackings: trackings.map((one) => ({ ...one, stage: 'adapter', state: 'pending' })),
    planned: { adapter: 'planned' },
  });

async function served(answer: RequestListener): Promise<{ readonly uri: string; readonly server: Server }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  });

describe('trackers', () => {
  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  it('have each step once, of all runs that worked on a training', () => {
    const cwd = freshFolder();
    const [first, second] = ['20260101-000000-0001', '20260102-000000-0001'];
    journal(cwd, first, [step(1), step(2), step(3)], 1000);
    journal(cwd, second, [step(3), step(4)], 9000);
    const run = trackedRun(nodeHost(cwd), { runId: second, stage: 'adapter', planned: '' });
    expect(run?.points.map((point) => point.step)).to.deep.equal([1, 2, 3, 4]);
    expect(run?.points[2]?.at, 'as it was done first').to.be.below(9000);
    expect(run?.params).to.deep.equal({ 'optimizer.rate': '0.001', order: 'shuffled' });
  });

  it('get what is pending, and the same bytes when they get it again', async () => {
    const cwd = freshFolder();
    const runId = '20260101-000000-0001';
    journal(cwd, runId, [step(1), step(2)], 1000);
    const both = [
      { tracker: 'tensorboard', args: { folder: 'runs' } },
      { tracker: 'wandb', args: { project: 'p', folder: 'wandb' } },
    ] as const;
    keep(cwd, runId, both);
    const host = nodeHost(cwd);
    const [spool] = await deliverPending(host);
    expect(spool?.trackings.map(({ state }) => state)).to.deep.equal(['delivered', 'delivered']);
    const files = (spool?.trackings ?? []).flatMap(({ where = '' }) =>
      host.list(where).map((name) => join(where, name)),
    );
    const before = files.map((path) => readFileSync(path));
    expect(before.every(({ length }) => length > 100)).to.equal(true);
    keep(cwd, runId, both);
    await deliverPending(host);
    expect(files.map((path) => readFileSync(path))).to.deep.equal(before);
  });

  it('get curves while the run goes on, as the beginning of what they get after it, whatever another tracker does', async () => {
    const cwd = freshFolder();
    const runId = '20260101-000000-0001';
    journal(cwd, runId, [step(1), step(2)], 1000);
    const { uri, server } = await served((_, response) => response.writeHead(500).end('broken'));
    keep(cwd, runId, [
      { tracker: 'mlflow', args: { uri, experiment: 'e' } },
      { tracker: 'tensorboard', args: { folder: 'runs' } },
    ]);
    const host = nodeHost(cwd);
    const [spool] = spools(host);
    if (spool === undefined) return expect.fail('nothing is kept');
    const stop = new AbortController();
    const following = follow(host, spool, stop.signal, 1);
    const first = await grown(cwd, 0);
    append(cwd, runId, [step(3)]);
    const second = await grown(cwd, first.length);
    stop.abort();
    await following;
    expect(beginsWith(second, first)).to.equal(true);
    expect(spools(host), 'nothing counts as delivered yet').to.deep.equal([spool]);
    append(cwd, runId, [step(4), finished]);
    const after = await deliverPending(host, { limit: 3000 });
    await closed(server);
    expect(after[0]?.trackings.map(({ state }) => state)).to.deep.equal(['pending', 'delivered']);
    const last = curveBytes(cwd);
    expect(beginsWith(last, second)).to.equal(true);
    expect(last.includes('final/valid_loss')).to.equal(true);
    expect(second.includes('final/valid_loss')).to.equal(false);
  });

  it('that misbehave end nothing: what they did not take stays, and is said', async () => {
    const answers: readonly (readonly [string, RequestListener])[] = [
      ['it answered 500: broken', (_, response) => response.writeHead(500).end('broken')],
      ['it answered what is no answer of MLflow: <html>', (_, response) => response.end('<html>')],
      [
        'it answered what is no answer of MLflow: {"experiment":7}',
        (_, response) => response.end('{"experiment":7}'),
      ],
      ['it did not answer within 0.3 s', () => {}],
      ['it cannot be reached', (request) => request.socket.destroy()],
    ];
    for (const [why, answer] of answers) {
      const cwd = freshFolder();
      const runId = '20260101-000000-0001';
      journal(cwd, runId, [step(1)], 1000);
      const { uri, server } = await served(answer);
      keep(cwd, runId, [
        { tracker: 'mlflow', args: { uri, experiment: 'e' } },
        { tracker: 'tensorboard', args: { folder: 'runs' } },
      ]);
      const after = await deliverPending(nodeHost(cwd), { limit: 300 });
      await closed(server);
      expect(after[0]?.trackings.map(({ state }) => state)).to.deep.equal(['pending', 'delivered']);
      expect(after[0]?.trackings[0]?.problem).to.include(why);
      expect(spools(nodeHost(cwd)), 'as it is kept').to.deep.equal(after);
      expect(undelivered(after).map(({ code }) => code)).to.deep.equal(['FTP2220']);
    }
  });

  it('get a secret from the environment, which no file has', async () => {
    const cwd = freshFolder();
    const runId = '20260101-000000-0001';
    journal(cwd, runId, [step(1)], 1000);
    const seen: (string | undefined)[] = [];
    const { uri, server } = await served((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(401).end('no');
    });
    process.env['FTPC_TEST_TRACK_TOKEN'] = 's3cr3t-of-the-test';
    keep(cwd, runId, [
      {
        tracker: 'mlflow',
        args: { uri, experiment: 'e', token: { secret: 't', env: 'FTPC_TEST_TRACK_TOKEN' } },
      },
    ]);
    const after = await deliverPending(nodeHost(cwd), { limit: 3000 });
    delete process.env['FTPC_TEST_TRACK_TOKEN'];
    await closed(server);
    expect(seen).to.deep.equal(['Bearer s3cr3t-of-the-test']);
    expect(JSON.stringify(after)).not.to.include('s3cr3t');
    expect(readFileSync(join(cwd, '.ftp/track', `${runId}.json`), 'utf8')).not.to.include('s3cr3t');
  });

  it('show no secret, whatever a server or a header says of it', async () => {
    const cwd = freshFolder();
    const runId = '20260101-000000-0001';
    journal(cwd, runId, [step(1)], 1000);
    const { uri, server } = await served((request, response) =>
      response.writeHead(401).end(`${'x'.repeat(190)}\u001b[31m${request.headers.authorization}`),
    );
    const token = { secret: 't', env: 'FTPC_TEST_TRACK_TOKEN' };
    for (const [value, why] of [
      ['s3cr3t-of-the-test\n', 'it answered 401: xxx'],
      ['s3cr3t-of\nthe-test', 'the token has characters that no header takes'],
    ]) {
      process.env['FTPC_TEST_TRACK_TOKEN'] = value;
      keep(cwd, runId, [{ tracker: 'mlflow', args: { uri, experiment: 'e', token } }]);
      const [spool] = await deliverPending(nodeHost(cwd), { limit: 3000 });
      delete process.env['FTPC_TEST_TRACK_TOKEN'];
      const problem = spool?.trackings[0]?.problem ?? '';
      expect(problem)
        .to.include(why)
        .and.not.match(/s3c|\p{Cc}/u);
    }
    await closed(server);
  });

  it('get what cannot be kept, and what they do not take is said', async () => {
    const cwd = freshFolder();
    const runId = '20260101-000000-0001';
    journal(cwd, runId, [step(1)], 1000);
    writeFileSync(join(cwd, '.ftp/track'), '');
    const own: Spool = {
      version: 1,
      runId,
      pipeline: 'p.ftp',
      trackings: [
        { stage: 'adapter', tracker: 'tensorboard', args: { folder: 'runs' }, state: 'pending' },
        { stage: 'adapter', tracker: 'tensorboard', args: { folder: '.ftp/track' }, state: 'pending' },
      ],
      planned: {},
    };
    const [spool] = await deliverPending(nodeHost(cwd), { own });
    expect(spool?.trackings.map(({ state }) => state)).to.deep.equal(['delivered', 'pending']);
    expect(spool?.trackings[1]?.problem).to.include('what is pending cannot be kept');
  });

  it('are not stopped by a file in the place of their folder', async () => {
    const cwd = freshFolder();
    const runId = '20260101-000000-0001';
    journal(cwd, runId, [step(1)], 1000);
    writeFileSync(join(cwd, 'runs'), '');
    keep(cwd, runId, [{ tracker: 'tensorboard', args: { folder: 'runs' } }]);
    const [spool] = await deliverPending(nodeHost(cwd));
    expect(spool?.trackings[0]).to.include({ state: 'pending' });
    expect(spool?.trackings[0]?.problem).to.be.a('string');
  });
});
