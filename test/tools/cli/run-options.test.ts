import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { patienceOf } from '../../../src/pipeline/run/stage-process.js';
import type { Arguments } from '../../../src/tools/cli/command.js';
import { watchSignals } from '../../../src/tools/cli/interrupts.js';
import { parallelOf } from '../../../src/tools/cli/options/machine-options.js';
import { noticeOf, preemptionOf, retriesOf } from '../../../src/tools/cli/options/run-options.js';
import { freshFolder, ftpc } from './folders.js';

/** A command line with these values. */
const line = (values: Readonly<Record<string, string | readonly string[]>>): Arguments => {
  const texts = (name: string): readonly string[] => [values[name] ?? []].flat();
  return {
    positional: () => '',
    optionalPositional: () => undefined,
    positionals: () => [],
    flag: () => false,
    texts,
    text: (name: string) => texts(name)[0],
    number: (name: string) => (texts(name)[0] === undefined ? undefined : Number(texts(name)[0])),
  } as Arguments;
};

describe('options of how a run goes on', () => {
  it('take stages at once, or leave them to the plan', () => {
    expect(parallelOf(line({}))).to.equal(undefined);
    expect(parallelOf(line({ parallel: 'auto' }))).to.equal(undefined);
    expect(parallelOf(line({ parallel: '3' }))).to.equal(3);
    for (const parallel of ['0', '-1', '1.5', '65', '3 ', 'all', ''])
      expect(() => parallelOf(line({ parallel })), parallel).to.throw('whole number from 1 to 64');
  });

  it('take a number of tries', () => {
    expect(retriesOf(line({}))).to.equal(2);
    expect(retriesOf(line({ retries: '0' }))).to.equal(0);
    for (const retries of ['-1', '0.5', '101', 'x'])
      expect(() => retriesOf(line({ retries })), retries).to.throw('from 0 to 100');
  });

  it('take a notice with its unit', () => {
    expect(noticeOf(line({}))).to.equal(undefined);
    for (const [notice, seconds] of [
      ['30s', 30],
      ['2m', 120],
      ['1.5 m', 90],
      ['1h', 3600],
    ] as const)
      expect(noticeOf(line({ notice })), notice).to.equal(seconds);
    for (const notice of ['30', '0s', '500ms', '30MiB', 'soon', '-1s'])
      expect(() => noticeOf(line({ notice })), notice).to.throw('at least 1s');
  });

  it('take signals and files', () => {
    const named = { 'preempt-on': ['USR1', 'SIGUSR2', '/run/going', './USR1'] };
    expect(preemptionOf(line(named))).to.deep.equal({
      signals: ['SIGUSR1', 'SIGUSR2'],
      files: ['/run/going', './USR1'],
    });
    for (const sign of ['SIGKILL', 'KILL', 'SIGCHLD', 'SIGUSR3'])
      expect(() => preemptionOf(line({ 'preempt-on': sign })), sign).to.throw('does not take the signal');
  });

  it('leave a part of the notice for the last words', () => {
    expect([undefined, 2, 5, 30, 120].map(patienceOf)).to.deep.equal([60_000, 1600, 4000, 28_000, 118_000]);
  });
});

describe('a file that tells a run to end', () => {
  it('asks once, when it appears, and says within what', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'ftpc-sign-'));
    after(() => rmSync(cwd, { recursive: true, force: true }));
    const said: string[] = [];
    const watched = watchSignals((text) => said.push(text), { files: ['going'], notice: 30, cwd });
    expect(watched.stop.aborted).to.equal(false);
    writeFileSync(join(cwd, 'going'), '');
    while (!watched.stop.aborted) await sleep(10);
    watched.release();
    expect(said).to.deep.equal([
      '`going` is there: saving progress within 30 s; interrupt again to stop at once',
    ]);
    expect([watched.kill.aborted, watched.notice]).to.deep.equal([false, 30]);
  });
});

describe('a run of which the price is said', () => {
  const text = `edition 2026
import { synthetic } from "std/data"
data rows {
  source = synthetic(rows: 10, length: 8tok)
}
budget small {
  require cost <= 1usd
}
`;
  it('looks at what it costs', async () => {
    const cwd = freshFolder();
    writeFileSync(join(cwd, 'pipeline.ftp'), text);
    const dear = await ftpc(cwd, ['run', 'pipeline.ftp', '--price', '1e9']);
    expect([dear.code, /FTP\d+/.exec(dear.err)?.[0]]).to.deep.equal([4, 'FTP0825']);
    expect(await ftpc(cwd, ['run', 'pipeline.ftp', '--price', '-1'])).to.include({ code: 1 });
    const free = await ftpc(cwd, ['run', 'pipeline.ftp', '--price', '0']);
    expect([free.code, free.err.includes('FTP1924')]).to.deep.equal([0, false]);
  });
});
