import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { expectSchema } from '../../../helpers/schema.js';
import { writePipeline } from '../../../pipeline/run/pipelines.js';
import { FTPC, haltAtWork, type Line, start } from '../../../pipeline/run/processes.js';
import { freshFolder } from '../../../pipeline/run/worlds.js';

function ftpc(cwd: string, ...words: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [FTPC, ...words], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', COLUMNS: '80' },
  });
  return { code: status, out: stdout, err: stderr };
}

function statusOf(cwd: string, ...words: readonly string[]) {
  const found = JSON.parse(ftpc(cwd, 'status', '--json', ...words).out);
  expectSchema('status', found);
  return found;
}

const last = (lines: readonly Line[]): Line => lines.at(-1) as Line;

describe('an active run', () => {
  it('is shown, ended and told of from other processes @long', async () => {
    const [cwd, shared, elsewhere] = [freshFolder(), freshFolder(), freshFolder()];
    writePipeline(cwd, { rows: 1500 });
    const running = start(cwd, ['run', 'tiny.ftp', '--json', '--store', shared]);
    const atWork = await haltAtWork(running, cwd);
    const runId = String(running.lines[0]?.['runId']);
    for (const folder of [cwd, elsewhere]) {
      const { runs } = statusOf(folder, '--store', shared);
      expect(runs).to.have.lengthOf(1);
      expect(runs[0]).to.include({ runId, cwd, store: shared, state: 'alive', pipeline: 'tiny.ftp' });
      expect(runs[0].stages[0]).to.include({ stage: 'rows', state: 'alive' });
    }
    const { out } = ftpc(elsewhere, 'status', '--store', shared);
    expect(out).to.contain(`${runId} is active: tiny.ftp\n  rows: `);
    for (const line of out.split('\n')) expect(line.length).to.be.at.most(80);
    expect(ftpc(cwd, 'unlock').err).to.contain('FTP1704');
    expect(ftpc(elsewhere, 'stop', '2000').err).to.contain('FTP1701');
    expect(ftpc(elsewhere, 'stop', '2000', '--store', shared).err).to.contain('FTP1702');
    const asked = ftpc(elsewhere, 'stop', runId.slice(0, 12), '--no-wait', '--store', shared);
    expect(asked).to.deep.include({ code: 0, out: '' });
    await running.until(({ type }) => type === 'run.stopping');
    process.kill(atWork, 'SIGCONT');
    expect((await running.ended).code).to.equal(130);
    expect(last(running.lines)).to.include({ type: 'run.finished', status: 'interrupted' });
    expect(statusOf(cwd)).to.deep.include({ runs: [], last: { runId, status: 'interrupted' } });
    expect(ftpc(cwd, 'status').out).to.equal(
      `nothing runs in this folder; its last run, ${runId}, was interrupted\n`,
    );
    expect(ftpc(cwd, 'stop', '--store', shared).err).to.contain('FTP1701');
    expect(ftpc(cwd, 'unlock', '--store', shared).err).to.equal('nothing is locked\n');
    writeFileSync(join(cwd, '.ftp/runs', runId, 'rows.out'), 'native \x1b[31mwords\n');
    const told = ftpc(cwd, 'logs', runId.slice(0, 15), 'rows');
    expect(told.code).to.equal(0);
    expect(told.out)
      .to.match(/^rows runs \(.*\)\n/)
      .and.contain('rows interrupted');
    expect(told.out, 'without what drives a terminal').to.contain('rows printed: native \ufffd[31mwords\n');
    const whole = ftpc(cwd, 'logs').out;
    expect(whole)
      .to.match(/asked to stop by .*: saving progress\n/)
      .and.contain('dialogs  blocked');
    const lines = ftpc(cwd, 'logs', '--json')
      .out.trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    for (const line of lines) expectSchema('logs', line);
    expect(lines.map(({ type }) => type)).to.include('printed');
    expect(lines[0]).to.include({ type: 'run.started', runId });
    expect(lines.filter(({ type }) => type === 'run.finished')).to.have.lengthOf(1);
    expect(ftpc(cwd, 'logs', 'latest', 'rosw').err).to.contain('did you mean `rows`?');
  });

  it('is waited for by `stop`, and followed by `logs --follow` to its end', async () => {
    const cwd = freshFolder();
    writePipeline(cwd, { rows: 1500 });
    const running = start(cwd);
    const atWork = await haltAtWork(running, cwd);
    const following = start(cwd, ['logs', '--follow', '--json']);
    await following.until(({ type }) => type === 'stage.started');
    const stopping = start(cwd, ['stop']);
    await running.until(({ type }) => type === 'run.stopping');
    process.kill(atWork, 'SIGCONT');
    const { code, err } = await stopping.ended;
    expect(code).to.equal(0);
    expect(err).to.match(/has ended; the next run resumes from what it saved\n$/);
    await running.ended;
    expect((await following.ended).code).to.equal(0);
    expect(last(following.lines).type).to.equal('run.finished');
  });
});
