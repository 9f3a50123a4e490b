import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { writePipeline } from './pipelines.js';
import { FTPC, haltAtWork, type Line, start } from './processes.js';
import { freshFolder } from './worlds.js';

const RUN = ['run', 'tiny.ftp', '--json'];

const actions = (lines: readonly Line[]) =>
  lines.filter(({ type }) => type === 'stage.started').map(({ action }) => action);

describe('a store that several use', () => {
  it('has each output once, whoever makes it, and the others wait for it', async () => {
    const shared = freshFolder();
    const folders = [freshFolder(), freshFolder(), freshFolder()];
    for (const cwd of folders) writePipeline(cwd, { rows: 300 });
    const runs = folders.map((cwd) => start(cwd, [...RUN, '--store', shared]));
    for (const { ended } of runs) expect(await ended).to.deep.equal({ code: 0, signal: null, err: '' });
    const all = runs.flatMap(({ lines }) => actions(lines));
    expect(all.filter((action) => action !== 'cached')).to.deep.equal(['run', 'run']);
    expect(all).to.have.lengthOf(6);
    expect(readdirSync(join(shared, 'store'))).to.have.lengthOf(2);
    expect(readdirSync(join(shared, 'claims'))).to.deep.equal([]);
    for (const cwd of folders) expect(existsSync(join(cwd, '.ftp/store'))).to.equal(false);
    const waits = runs.flatMap(({ lines }) => lines.filter(({ type }) => type === 'stage.waiting'));
    const cwds = waits.map(({ holder }) => (holder as { readonly cwd: string }).cwd);
    for (const cwd of cwds) expect(folders).to.include(cwd);
  });

  it('is taken over from a run that was killed', async () => {
    const shared = freshFolder();
    const [one, other] = [freshFolder(), freshFolder()];
    for (const cwd of [one, other]) writePipeline(cwd, { rows: 1500 });
    const killed = start(one, RUN, { FTPC_STORE: shared });
    const atWork = await haltAtWork(killed, one);
    const waiting = start(other, RUN, { FTPC_STORE: shared });
    await waiting.until(({ type }) => type === 'stage.waiting');
    killed.process.kill('SIGKILL');
    process.kill(atWork, 'SIGCONT');
    const { code, err } = await waiting.ended;
    expect({ code, err }).to.deep.equal({ code: 0, err: '' });
    for (const folder of ['claims', 'tmp', 'work']) {
      const left = join(shared, folder);
      expect(existsSync(left) ? readdirSync(left) : [], folder).to.deep.equal([]);
    }
  });

  it('keeps the option before the variable, and each directory its runs', async () => {
    const [shared, ignored, cwd] = [freshFolder(), freshFolder(), freshFolder()];
    writePipeline(cwd, { rows: 10 });
    const { code } = await start(cwd, [...RUN, '--store', shared], { FTPC_STORE: ignored }).ended;
    expect(code).to.equal(0);
    expect(readdirSync(ignored)).to.deep.equal([]);
    expect(readdirSync(join(cwd, '.ftp/runs'))).to.have.lengthOf(1);
    const planned = (...words: readonly string[]) =>
      spawnSync(process.execPath, [FTPC, 'plan', 'tiny.ftp', '--exit-code', ...words], { cwd }).status;
    expect(planned('--store', shared), 'everything is done').to.equal(0);
    expect(planned(), 'in a store of its own, nothing is').to.equal(2);
  });
});
