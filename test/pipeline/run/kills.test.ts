import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { stateOf } from '../../../src/language/host/process-identity.js';
import { leaveOut } from '../../helpers/leave-out.js';
import { writePipeline } from './pipelines.js';
import { finish, type Line, stageProcess, start } from './processes.js';
import { freshFolder } from './worlds.js';

const last = (lines: readonly Line[]): Line => lines.at(-1) as Line;
const statuses = (line: Line): readonly string[] =>
  (line['stages'] as readonly { readonly status: string }[]).map(({ status }) => status);

/** Every entry is complete: it has its record, and nothing half written stands beside it. */
function expectWholeStore(cwd: string): void {
  const store = join(cwd, '.ftp/store');
  for (const key of existsSync(store) ? readdirSync(store) : [])
    expect(JSON.parse(readFileSync(join(store, key, 'stage.json'), 'utf8')).key).to.equal(key);
}

describe('a run that is killed', () => {
  it('stage’s process: a diagnostic that names the signal, no trace, and the next run is complete', async () => {
    const cwd = freshFolder();
    writePipeline(cwd, { rows: 1500 });
    const running = start(cwd, ['run', 'tiny.ftp', '--json', '--retries', '0']);
    await running.until(({ type }) => type === 'stage.progress');
    process.kill(stageProcess(cwd), 'SIGKILL');
    const { code, err } = await running.ended;
    expect(code).to.equal(1);
    expect(err).to.not.contain('    at ');
    const [diagnostic] = running.lines.filter(({ type }) => type === 'diagnostic');
    expect(diagnostic?.['code']).to.equal('FTP0811');
    expect(diagnostic?.['message']).to.contain('SIGKILL');
    expect(last(running.lines)).to.deep.include({ type: 'run.finished', status: 'failed' });
    expect(statuses(last(running.lines))).to.deep.equal(['failed', 'blocked']);
    expectWholeStore(cwd);
    expect((await finish(cwd)).code).to.equal(0);
  });

  it('stage’s process, once: it is tried again, and the run is complete', async () => {
    const cwd = freshFolder();
    writePipeline(cwd);
    const running = start(cwd);
    while (!existsSync(join(cwd, '.ftp/lock.child'))) await sleep(5);
    process.kill(stageProcess(cwd), 'SIGKILL');
    expect((await running.ended).code).to.equal(0);
    const retries = running.lines.filter(({ type }) => type === 'retry');
    expect(retries).to.have.length(1);
    expect(retries[0]).to.deep.include({ stage: 'rows', code: 'FTP0811', attempt: 1, retries: 2 });
  });

  it('parent: the process of its stage does not outlive it for long', async () => {
    const cwd = freshFolder();
    writePipeline(cwd, { rows: 1500 });
    const running = start(cwd);
    await running.until(({ type }) => type === 'stage.progress');
    const pid = stageProcess(cwd);
    running.process.kill('SIGKILL');
    await running.ended;
    while (stateOf({ pid }) === 'alive') await sleep(50);
    expect(stateOf({ pid })).to.equal('gone');
  });

  it('is not ended by a limit on the size of files: the stage says which one it could not write @long', async function () {
    if (process.platform === 'win32') leaveOut(this, 'it needs a limit on the size of files');
    const cwd = freshFolder();
    writePipeline(cwd, { rows: 1500 });
    const running = start(cwd, undefined, {}, 'ulimit -f 64');
    const { code } = await running.ended;
    expect(code).to.equal(1);
    const [diagnostic] = running.lines.filter(({ type }) => type === 'diagnostic');
    expect(diagnostic?.['code']).to.equal('FTP0801');
    expect(diagnostic?.['message']).to.match(/^cannot write `.+`: .+ does not allow files of this size$/);
    expectWholeStore(cwd);
    expect((await finish(cwd)).code).to.equal(0);
  });

  it('interrupted: the status says so, the process ends by the signal, and the lock is free', async () => {
    const cwd = freshFolder();
    writePipeline(cwd, { rows: 1500 });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const running = start(cwd);
      await running.until(({ type }) => type === 'stage.progress');
      running.process.kill(signal);
      expect((await running.ended).signal).to.equal(signal);
      expect(last(running.lines)).to.deep.include({ type: 'run.finished', status: 'interrupted' });
      const finished = running.lines.find(({ type }) => type === 'stage.finished');
      expect(finished).to.deep.include({ status: 'failed', interrupted: true });
      expect(existsSync(join(cwd, '.ftp/lock'))).to.equal(false);
    }
    expect((await finish(cwd)).code).to.equal(0);
  });

  it('a second run is refused at once, and the first one is not disturbed', async () => {
    const cwd = freshFolder();
    writePipeline(cwd, { rows: 1500 });
    const running = start(cwd);
    await running.until(({ type }) => type === 'stage.progress');
    const second = await finish(cwd);
    expect(second.code).to.equal(1);
    const [diagnostic] = second.lines.filter(({ type }) => type === 'diagnostic');
    expect(diagnostic?.['code']).to.equal('FTP0804');
    expect(diagnostic?.['message']).to.contain(`process ${running.process.pid}`);
    expect((await running.ended).code).to.equal(0);
  });
});
