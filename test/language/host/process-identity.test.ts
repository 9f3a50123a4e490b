import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { mayWrite, stateOf, writerMark } from '../../../src/language/host/process-identity.js';
import { leaveOut } from '../../helpers/leave-out.js';

/** Processes that have ended, and whose parent has not looked. */
const isZombie = (pid: number): boolean => {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

const childrenOf = (parent: number): readonly number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        return (
          pid > 0 &&
          Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]) === parent
        );
      } catch {
        return false;
      }
    });

describe('processes', () => {
  const gone = spawnSync(process.execPath, ['-e', '']).pid;

  it('may write as long as they live; those of another machine may for all we know', () => {
    const mine = writerMark();
    expect(mayWrite(mine)).to.equal(true);
    expect(mayWrite(mine.replace(/^\d+/, String(gone)))).to.equal(false);
    expect(mayWrite(mine.replace(/-\d*-/, '-1-')), 'another one with the same number').to.equal(false);
    expect(mayWrite(`${gone}-1-00000000`), 'elsewhere').to.equal(true);
    expect(mayWrite(String(gone)), 'as older versions wrote it').to.equal(false);
  });

  it('are gone where only their parent has not noticed', async function () {
    if (process.platform !== 'linux') return leaveOut(this, 'only Linux says so');
    const parent = spawn('sh', ['-c', 'true & exec sleep 60']);
    try {
      let zombie: number | undefined;
      while (zombie === undefined) {
        await sleep(10);
        zombie = childrenOf(parent.pid ?? 0).find(isZombie);
      }
      expect(stateOf({ pid: zombie })).to.equal('gone');
      expect(mayWrite(String(zombie))).to.equal(false);
    } finally {
      parent.kill('SIGKILL');
    }
  });
});
