import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { watchSilence } from '../../../src/compute/accelerate/rank-bounds.js';
import { isStopped } from '../../../src/compute/accelerate/rank-process.js';
import { leaveOut } from '../../helpers/leave-out.js';

describe('the silence of ranks', () => {
  const bounds = { start: 1e6, silence: 1e6, grace: 1e6 };
  const rank = (number: number, pid: number, silence: number) => ({
    ...{ rank: number, pid, longestSilence: 0, hasEnded: false },
    heard: performance.now() - silence,
    tail: () => [],
    forgive: () => {},
  });

  it('is of the one that was silent first', () => {
    const ranks = [rank(0, process.pid, 2e6), rank(1, process.pid, 3e6), rank(2, process.pid, 0)];
    expect(watchSilence(ranks, bounds, () => true)()).to.include({ rank: 1, isStopped: false });
    expect(watchSilence(ranks.slice(2), bounds, () => true)()).to.equal(undefined);
  });

  it('is of the one that was stopped, though others wait for it longer than it is silent', async function () {
    if (process.platform !== 'linux') leaveOut(this, 'only Linux says that a process is stopped');
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const { pid = 0 } = child;
    try {
      process.kill(pid, 'SIGSTOP');
      while (!isStopped(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
      const found = watchSilence([rank(0, process.pid, 2e6), rank(1, pid, 0)], bounds, () => true)();
      expect(found).to.include({ rank: 1, isStopped: true });
    } finally {
      process.kill(pid, 'SIGKILL');
    }
  });
});
