import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { UserError } from '../../../src/language/diagnostics/types.js';
import { identityOf, stateOf } from '../../../src/language/host/process-identity.js';
import {
  forgetChild,
  layoutIn,
  noteChild,
  outliveOrphan,
  takeLock,
} from '../../../src/pipeline/store/index.js';
import { freshFolder } from './folders.js';

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return 'not refused';
}

describe('run lock', () => {
  it('refuses a second run, naming the process', async () => {
    const layout = layoutIn(freshFolder());
    const lock = await takeLock(layout, 'one', Date.now);
    expect(await refusal(takeLock(layout, 'two', Date.now))).to.contain(`process ${process.pid}`);
    lock.release();
    expect(existsSync(layout.lock)).to.equal(false);
    (await takeLock(layout, 'three', Date.now)).release();
  });

  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  const stale: Readonly<Record<string, object | string>> = {
    'a process that has ended': { ...identityOf(process.pid), pid: gone, started: undefined, runId: 'old' },
    'another process with the same number': { ...identityOf(process.pid), started: '1', runId: 'old' },
    'an earlier start of the machine': { ...identityOf(process.pid), boot: 'earlier', runId: 'old' },
    'a bare number that is gone': { pid: gone },
    'a torn file': '{"pid": 12',
    'an empty file': '',
  };
  for (const [what, holder] of Object.entries(stale))
    it(`takes over from ${what}`, async () => {
      const layout = layoutIn(freshFolder());
      (await takeLock(layout, 'first', Date.now)).release();
      writeFileSync(layout.lock, typeof holder === 'string' ? holder : JSON.stringify(holder));
      const lock = await takeLock(layout, 'new', Date.now);
      expect(JSON.parse(readFileSync(layout.lock, 'utf8')).runId).to.equal('new');
      lock.release();
    });

  for (const [what, put] of Object.entries({
    'a folder': (path: string) => {
      mkdirSync(path);
      writeFileSync(join(path, 'x'), '');
    },
    'a file of somebody': (path: string) => writeFileSync(path, 'of a build'),
  }))
    it(`does not take ${what} away that is in its place`, async () => {
      const layout = layoutIn(freshFolder());
      (await takeLock(layout, 'first', Date.now)).release();
      put(layout.lock);
      expect(await refusal(takeLock(layout, 'new', Date.now))).to.contain('ftpc did not make it');
      expect(existsSync(layout.lock)).to.equal(true);
    });

  it('believes a holder in another container while it beats, and no longer', async () => {
    const layout = layoutIn(freshFolder());
    (await takeLock(layout, 'first', Date.now)).release();
    writeFileSync(
      layout.lock,
      JSON.stringify({ ...identityOf(process.pid), namespace: 'pid:[1]', runId: 'there' }),
    );
    expect(await refusal(takeLock(layout, 'new', Date.now))).to.contain('another run');
    const silent = Date.now() / 1000 - 120;
    utimesSync(layout.lock, silent, silent);
    (await takeLock(layout, 'new', Date.now, 100)).release();
  });

  it('believes one whose clock is behind, as long as it beats', async () => {
    const layout = layoutIn(freshFolder());
    (await takeLock(layout, 'first', Date.now)).release();
    writeFileSync(
      layout.lock,
      JSON.stringify({ ...identityOf(process.pid), host: 'elsewhere', runId: 'there' }),
    );
    let behind = Date.now() / 1000 - 3600;
    utimesSync(layout.lock, behind, behind);
    const beat = setInterval(() => utimesSync(layout.lock, ++behind, behind), 20);
    expect(await refusal(takeLock(layout, 'new', Date.now))).to.contain('another run');
    clearInterval(beat);
  });

  it('gives the lock to one of many that find it stale at once', async () => {
    const layout = layoutIn(freshFolder());
    (await takeLock(layout, 'first', Date.now)).release();
    writeFileSync(layout.lock, JSON.stringify({ pid: gone, runId: 'old' }));
    const tries = await Promise.allSettled(['a', 'b', 'c', 'd'].map((id) => takeLock(layout, id, Date.now)));
    expect(tries.filter(({ status }) => status === 'fulfilled')).to.have.lengthOf(1);
  });

  it('waits for the process of a killed run, and ends it when it takes too long', async () => {
    const layout = layoutIn(freshFolder());
    (await takeLock(layout, 'first', Date.now)).release();
    const orphan = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const ended = new Promise((resolve) => orphan.on('exit', (_, signal) => resolve(signal)));
    noteChild(layout, orphan.pid ?? 0);
    expect(stateOf(identityOf(orphan.pid ?? 0))).to.equal('alive');
    await outliveOrphan(layout, 100);
    expect(await ended).to.equal('SIGKILL');
    expect(existsSync(layout.child)).to.equal(false);
  });

  it('knows the processes of all stages that run at once, and waits for each', async () => {
    const layout = layoutIn(freshFolder());
    (await takeLock(layout, 'first', Date.now)).release();
    const stages = [1, 2, 3].map(() => spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']));
    const ended = stages.map(
      (stage) => new Promise((resolve) => stage.on('exit', (_, signal) => resolve(signal))),
    );
    const pids = stages.map(({ pid = 0 }) => pid);
    for (const pid of pids) noteChild(layout, pid);
    forgetChild(layout, pids[0] ?? 0);
    await outliveOrphan(layout, 100);
    expect(await Promise.all(ended.slice(1))).to.deep.equal(['SIGKILL', 'SIGKILL']);
    expect(stateOf(identityOf(pids[0] ?? 0))).to.equal('alive');
    stages[0]?.kill();
    expect(existsSync(layout.child)).to.equal(false);
    noteChild(layout, process.pid);
    forgetChild(layout, process.pid);
    expect(existsSync(layout.child)).to.equal(false);
  });
});
