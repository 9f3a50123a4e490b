import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Opened } from '../../../src/compute/accelerate/worker-lines.js';
import { workerModel } from '../../../src/compute/accelerate/worker-model.js';
import { startWorkerProcess, type WorkerProcess } from '../../../src/compute/accelerate/worker-process.js';
import { NoNumberError } from '../../../src/compute/evaluation/generation/answer.js';
import { OutOfMemoryError } from '../../../src/compute/tensor/out-of-memory.js';
import { UserError } from '../../../src/language/diagnostics/types.js';
import type { FakeAnswer } from './fake-worker.js';

const FAKE = fileURLToPath(new URL('./fake-worker.js', import.meta.url));
/** Long enough never to be reached. */
const LONG = 600_000;
const OPENED: Opened = {
  device: 'cpu',
  devices: ['cpu'],
  free: null,
  vocabulary: 8,
  virtual_tokens: 0,
  cache_bytes: 64,
};
const FACTS = { vocabSize: 8, maxPositions: 10, bosTokenId: null, eosTokenIds: [7], padTokenId: 0 };

const codeOf = (error: unknown): string =>
  error instanceof UserError ? error.diagnostic.code : String((error as Error).name);

describe('the client of a worker', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-worker-'));
  const log = join(folder, 'log');
  const open: WorkerProcess[] = [];
  after(async () => {
    for (const worker of open) await worker.close();
    rmSync(folder, { recursive: true });
  });

  const start = (answers: Record<string, FakeAnswer>, bounds = { start: LONG, silence: LONG }) => {
    const environment = { FAKE_WORKER: JSON.stringify(answers), FAKE_LOG: log, HF_TOKEN: undefined };
    const worker = startWorkerProcess({ python: process.execPath, args: [FAKE], environment, bounds });
    open.push(worker);
    return { worker, model: workerModel(worker, { label: 'tiny', facts: FACTS }, OPENED) };
  };
  const rows = {
    count: 2,
    lengthOf: (row: number) => row + 2,
    read: (row: number) => ({
      ids: Int32Array.from({ length: row + 2 }, (_, at) => at + 1),
      labels: Int32Array.from({ length: row + 2 }, (_, at) => (at === 0 ? -100 : at + 1)),
    }),
  };
  const failure = async (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

  it('gives the losses of rows in their order, the longest asked first', async () => {
    const { model } = start({
      loss: [
        {
          value: [
            { sum: 4, tokens: 2 },
            { sum: null, tokens: 1 },
          ],
        },
      ],
    });
    const done: number[] = [];
    const found = await model.losses(rows, { padId: 0, onProgress: (count) => done.push(count) });
    expect(found).to.deep.equal([
      { sum: Number.NaN, tokens: 1 },
      { sum: 4, tokens: 2 },
    ]);
    expect(done).to.deep.equal([2]);
    expect(readFileSync(log, 'utf8')).to.contain('"rows":[{"ids":[1,2,3],"labels":[-100,2,3]}');
  });

  it('makes texts of tokens as they come, tells where a stop text ended one, and reads nothing after it', async () => {
    const { model } = start({
      generate: [
        {
          tokens: [
            [0, 1],
            [1, 2],
          ],
        },
        {
          tokens: [
            [0, 3],
            [1, 7],
          ],
        },
        { tokens: [[0, 4]] },
        { value: null },
      ],
    });
    const seen: string[] = [];
    const answers = await model.generate([Int32Array.of(1), Int32Array.of(1, 2)], {
      maxTokens: 5,
      stopIds: [7],
      text: {
        decode: (ids) => ids.join(''),
        stops: ['3'],
        onText: (row, text) => seen.push(`${row}:${text}`),
      },
    });
    expect(answers).to.deep.equal([
      { ids: [1, 3], reason: 'stop', text: '1' },
      { ids: [2], reason: 'stop', text: '2' },
    ]);
    expect(seen).to.deep.equal(['0:1', '1:2', '0:1']);
  });

  it('gives logits of float32, and refuses those that are no numbers', async () => {
    const logits = Buffer.from(Float32Array.of(0.5, -1).buffer).toString('base64');
    const { model } = start({
      logits: [{ logits }, { logits }, { value: null }],
      loss: [{ error: { kind: 'not_finite', message: 'a logit' } }],
    });
    expect(await model.logits(Int32Array.of(1, 2))).to.deep.equal(Float32Array.of(0.5, -1, 0.5, -1));
    expect(await failure(model.losses(rows, { padId: 0 }))).to.be.instanceOf(NoNumberError);
  });

  it('says what failed: the process, the model, memory, the packages, or a bug', async () => {
    const ask = async (answer: FakeAnswer): Promise<unknown> =>
      failure(start({ loss: answer }).model.losses(rows, { padId: 0 }));
    expect(codeOf(await ask([{ kill: 'SIGKILL' }]))).to.equal('FTP1870');
    expect(codeOf(await ask([{ exit: 5 }]))).to.equal('FTP1872');
    const fault = (kind: string): FakeAnswer => [{ error: { kind, message: 'so it is' } }];
    expect(codeOf(await ask(fault('model')))).to.equal('FTP1874');
    expect(codeOf(await ask(fault('package')))).to.equal('FTP1875');
    expect(codeOf(await ask(fault('import')))).to.equal('FTP1877');
    expect(codeOf(await ask(fault('bug')))).to.equal('FTP1876');
    expect(await ask(fault('out_of_memory'))).to.be.instanceOf(OutOfMemoryError);
  });

  it('finds one that was stopped, and ends it', async () => {
    const { worker, model } = start({ loss: [{ kill: 'SIGSTOP' }] }, { start: LONG, silence: 3000 });
    const found = await failure(model.losses(rows, { padId: 0 }));
    expect(codeOf(found)).to.equal('FTP1871');
    expect((found as UserError).diagnostic.message).to.contain('SIGSTOP');
    await worker.close();
    expect(() => process.kill(worker.pid ?? 0, 0)).to.throw('ESRCH');
  });

  it('cancels a question, and answers the next', async () => {
    const { worker, model } = start({ logits: [{ value: null }] });
    const stop = new AbortController();
    const asked = failure(model.losses(rows, { padId: 0, signal: stop.signal }));
    stop.abort(new Error('enough'));
    expect(String(await asked)).to.contain('enough');
    expect((await model.logits(Int32Array.of(1))).length).to.equal(0);
    expect(readFileSync(log, 'utf8')).to.contain('"do":"cancel"');
    await worker.close();
    expect(codeOf(await failure(model.logits(Int32Array.of(1))))).to.equal('FTP1870');
  });

  it('says that there is no such interpreter', async () => {
    const worker = startWorkerProcess({
      ...{ python: join(folder, 'python'), args: [], environment: {} },
      bounds: { start: LONG, silence: LONG },
    });
    const model = workerModel(worker, { label: 'tiny', facts: FACTS }, OPENED);
    expect(codeOf(await failure(model.logits(Int32Array.of(1))))).to.equal('FTP1873');
    await worker.close();
  });
});
