import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { StageTask } from '../../../src/pipeline/run/messages.js';
import { runInProcess } from '../../../src/pipeline/run/stage-process.js';
import { calm, freshFolder, span } from './worlds.js';

/** What Node.js does where it gets some of its threads and not all. */
const FOR_EVER = 'data:text/javascript,Atomics.wait(new Int32Array(new SharedArrayBuffer(4)),0,0)';

describe('the process of a stage', () => {
  const options = process.env['NODE_OPTIONS'];
  afterEach(() => {
    delete process.env['NODE_OPTIONS'];
    if (options !== undefined) process.env['NODE_OPTIONS'] = options;
  });

  it('is ended where it never begins, as where the limit of threads is reached', async () => {
    process.env['NODE_OPTIONS'] = `--import=${FOR_EVER}`;
    const cwd = freshFolder();
    const output = join(cwd, 'output');
    mkdirSync(output);
    const task: StageTask = {
      stage: {
        kind: 'data',
        name: 'rows',
        settings: {},
        origins: {},
        requires: [],
        inputs: [],
        span,
      },
      inputs: {},
      key: 'a'.repeat(64),
      crowded: false,
      cwd,
      output,
      work: join(cwd, 'work'),
      folder: cwd,
      runtime: 'onnx',
      threads: 1,
      repositories: [],
    };
    const handlers = { event: () => {}, diagnostic: () => {}, started: () => {} };
    const { end } = await runInProcess(task, handlers, calm, 1);
    expect(end).to.deep.include({ how: 'failed' });
    expect(end.how === 'failed' ? [end.diagnostic.code, end.diagnostic.message] : []).to.deep.equal([
      'FTP0814',
      'no process could be started for stage `rows`: it does not begin; the limit of threads (`ulimit -u`) may be reached',
    ]);
  });
});
