import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { leaveOut } from '../../helpers/leave-out.js';
import { writePipeline } from './pipelines.js';
import { stageProcess, start } from './processes.js';
import { freshFolder } from './worlds.js';

/** A control group whose processes may take little more memory; `undefined` where none can be made. */
function smallGroup(): { readonly take: (pid: number) => void } | undefined {
  const [root, limit] = existsSync('/sys/fs/cgroup/memory')
    ? ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes']
    : ['/sys/fs/cgroup', 'memory.max'];
  const group = join(root, `ftpc-test-${process.pid}`);
  try {
    mkdirSync(group);
  } catch {
    return undefined;
  }
  after(async () => {
    // The killed process leaves the group a moment later.
    for (let tries = 0; tries < 40 && existsSync(group); tries++) {
      try {
        rmdirSync(group);
      } catch {
        await sleep(50);
      }
    }
  });
  if (!existsSync(join(group, limit))) return undefined;
  return {
    take: (pid) => {
      writeFileSync(join(group, 'cgroup.procs'), String(pid));
      writeFileSync(join(group, limit), '262144');
    },
  };
}

describe('a training that the system kills when memory runs out', () => {
  let group: ReturnType<typeof smallGroup>;
  before(function () {
    group = process.getuid?.() === 0 ? smallGroup() : undefined;
    if (group === undefined) leaveOut(this, 'making a control group with a memory limit needs root');
  });

  it('goes on from its checkpoint, further down the ladder', async () => {
    const cwd = freshFolder();
    writePipeline(cwd, { steps: 12, fallback: '[smaller_micro_batch]' });
    const running = start(cwd);
    await running.until(({ type }) => type === 'checkpoint.saved');
    group?.take(stageProcess(cwd));
    const recovery = await running.until(({ type }) => type === 'recovery');
    expect(recovery).to.deep.include({ stage: 'adapter', change: { logitsChunk: 128 } });
    expect(recovery['cause']).to.contain('because it ran out of memory');
    expect((await running.ended).code).to.equal(0);
    const steps = running.lines.flatMap((line) =>
      typeof line['step'] === 'number' && line.type === 'stage.progress' ? [line['step']] : [],
    );
    expect(Math.max(...steps)).to.equal(12);
    const again = steps.findIndex((step, index) => index > 0 && step <= (steps[index - 1] ?? 0));
    expect(again < 0 || (steps[again] ?? 0) > 1, 'does not start over').to.equal(true);
  });
});
