import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { writePipeline } from './pipelines.js';
import { start } from './processes.js';
import { freshFolder } from './worlds.js';

/** The one event file of the one training. */
function eventFile(cwd: string): Buffer {
  const folder = join(cwd, 'curves');
  const [training] = existsSync(folder) ? readdirSync(folder) : [];
  const [name] = training === undefined ? [] : readdirSync(join(folder, training));
  return name === undefined ? Buffer.alloc(0) : readFileSync(join(folder, training ?? '', name));
}

async function grown(cwd: string, than: number, ended: Promise<unknown>): Promise<Buffer> {
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  while (!isOver) {
    const bytes = eventFile(cwd);
    if (bytes.length > than) return bytes;
    await sleep(50);
  }
  throw new Error('the run ended first');
}

describe('trackers of a run', () => {
  it('show a training while it goes on, and go on with it in the next run', async () => {
    const cwd = freshFolder();
    writePipeline(cwd, { steps: 100_000 });
    const file = join(cwd, 'tiny.ftp');
    const tracked = readFileSync(file, 'utf8').replace(
      '  fallback = ',
      '  track = [tensorboard("curves"), mlflow("http://127.0.0.1:9")]\n  fallback = ',
    );
    writeFileSync(file, tracked);
    const first = start(cwd);
    const early = await grown(cwd, 0, first.ended);
    const later = await grown(cwd, early.length, first.ended);
    first.process.kill('SIGKILL');
    await first.ended;
    const second = start(cwd);
    // what gives trackers the first run's curves may have gone on for a moment
    await second.until(({ type, stage }) => type === 'stage.progress' && stage === 'adapter');
    const resumed = await grown(cwd, Math.max(later.length, eventFile(cwd).length), second.ended);
    second.process.kill('SIGTERM');
    const { err } = await second.ended;
    for (const [whole, part] of [
      [later, early],
      [resumed, later],
      [eventFile(cwd), resumed],
    ] as const)
      expect(whole.subarray(0, part.length).equals(part)).to.equal(true);
    // what was not delivered is said once, after the run
    expect(err.match(/FTP2220/g), err).to.have.length(1);
  });
});
