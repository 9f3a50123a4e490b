import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { isDeviceHeld } from '../../../src/pipeline/run/busy-device.js';
import type { StageEnd } from '../../../src/pipeline/run/messages.js';
import { MAY_PASS, mayPass, pauseBefore, retrying } from '../../../src/pipeline/run/retry.js';
import { calm, recorder, span } from './worlds.js';

const failure = (code: string, parts: { readonly starved?: boolean } = {}): StageEnd => ({
  how: 'failed',
  diagnostic: { code, severity: 'error', message: `it ended with ${code}`, at: span },
  ...parts,
});
const done: StageEnd = { how: 'done', result: { outputs: {}, metrics: {} } };

/** Tries that end so, one after another; the pauses between them take no time. */
async function tried(ends: readonly StageEnd[], retries: number, stopAt = Number.POSITIVE_INFINITY) {
  const seen = recorder();
  const pauses: number[] = [];
  const left = [...ends];
  const pause = async (seconds: number): Promise<boolean> => {
    pauses.push(seconds);
    return pauses.length < stopAt;
  };
  const { end, peakMemoryBytes } = await retrying(
    'adapter',
    { retries, watcher: seen, interrupts: calm, pause },
    async () => ({ end: left.shift() ?? done, peakMemoryBytes: 100 * left.length }),
  );
  return { end, peakMemoryBytes, pauses, seen, tries: ends.length - left.length };
}

describe('a stage whose fault may pass', () => {
  it('is tried again after growing pauses, and its peak is that of all tries', async () => {
    const { end, pauses, seen, peakMemoryBytes } = await tried(
      [failure('FTP1405'), failure('FTP0811'), done],
      2,
    );
    expect(end).to.equal(done);
    expect(pauses).to.deep.equal([2, 8]);
    expect(peakMemoryBytes).to.equal(200);
    expect(seen.events).to.deep.equal([
      {
        type: 'retry',
        stage: 'adapter',
        code: 'FTP1405',
        cause: 'it ended with FTP1405',
        attempt: 1,
        retries: 2,
        pauseSeconds: 2,
      },
      {
        type: 'retry',
        stage: 'adapter',
        code: 'FTP0811',
        cause: 'it ended with FTP0811',
        attempt: 2,
        retries: 2,
        pauseSeconds: 8,
      },
    ]);
  });

  it('is tried no more often than asked', async () => {
    const fault = failure('FTP1405');
    expect(await tried([fault, fault, fault, fault], 2)).to.deep.include({ end: fault, tries: 3 });
    expect(await tried([fault, done], 0)).to.deep.include({ end: fault, tries: 1, pauses: [] });
  });

  it('is interrupted in a pause at once', async () => {
    const { end, tries } = await tried([failure('FTP1405'), done], 2, 1);
    expect(end).to.deep.equal({ how: 'interrupted', saved: true });
    expect(tries).to.equal(1);
  });

  it('is not one whose fault stays: data, a requirement, a full disk, memory, a crash, a bug', async () => {
    for (const code of ['FTP0604', 'FTP0821', 'FTP0801', 'FTP0812', 'FTP0899'])
      expect(mayPass(failure(code)), code).to.equal(false);
    expect(mayPass(failure('FTP0811', { starved: true }))).to.equal(false);
    expect(mayPass({ how: 'interrupted', saved: true })).to.equal(false);
  });

  it('is one without memory only where others hold that of the GPU', async () => {
    for (const [isHeld, ends] of [
      [true, 'done'],
      [false, 'failed'],
    ] as const) {
      const left = [failure('FTP0813'), done];
      const { end } = await retrying(
        'adapter',
        { retries: 1, watcher: recorder(), interrupts: calm, pause: async () => true },
        async () => ({ end: left.shift() ?? done, peakMemoryBytes: 0 }),
        { isDeviceHeld: async () => isHeld },
      );
      expect(end.how).to.equal(ends);
    }
    const gpu = { index: 0, uuid: 'GPU-1', name: 'NVIDIA L4', memoryBytes: 100, freeBytes: 40 };
    const found = async () => ({ state: 'found', gpus: [gpu] }) as const;
    expect(await isDeviceHeld(50, undefined, found)).to.equal(true);
    expect(await isDeviceHeld(30, undefined, found)).to.equal(false);
    expect(await isDeviceHeld(undefined, undefined, found)).to.equal(false);
    expect(await isDeviceHeld(50, undefined, async () => ({ state: 'none' }))).to.equal(false);
  });

  it('waits two minutes at most', () => {
    expect([1, 2, 3, 4, 5, 50].map(pauseBefore)).to.deep.equal([2, 8, 32, 120, 120, 120]);
  });

  it('has a page for each of its codes', () => {
    const pages = join(nodeHost().packageFolder, 'docs/errors');
    for (const code of Object.keys(MAY_PASS))
      expect(existsSync(join(pages, `${code}.md`)), code).to.equal(true);
  });
});
