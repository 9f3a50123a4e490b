import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { writerMark } from '../../../src/language/host/process-identity.js';
import { writePipeline } from './pipelines.js';
import { finish } from './processes.js';
import { freshFolder } from './worlds.js';

describe('a target that cannot be written', () => {
  const inTheWay: readonly (readonly [string, string, (cwd: string) => void])[] = [
    ['a file above it', 'FTP0741', (cwd) => writeFileSync(join(cwd, 'releases'), '')],
    ['a link to nothing', 'FTP0741', (cwd) => symlinkSync('nowhere', join(cwd, 'releases'))],
    [
      'a `current` that is no link',
      'FTP0750',
      (cwd) => mkdirSync(join(cwd, 'releases/tiny/current'), { recursive: true }),
    ],
  ];
  for (const [what, expected, make] of inTheWay)
    it(`is told before the first stage runs: ${what}`, async () => {
      const cwd = freshFolder();
      writePipeline(cwd, { steps: 2 });
      make(cwd);
      const { code, lines } = await finish(cwd);
      expect(code).to.equal(1);
      expect(lines.map(({ type }) => type)).to.deep.equal(['run.started', 'diagnostic', 'run.finished']);
      expect(lines[1]).to.deep.include({ code: expected });
      expect(lines[1]?.['file']).to.equal('tiny.ftp');
    });

  it('is made where it is not there yet', async () => {
    const cwd = freshFolder();
    writePipeline(cwd, { steps: 2, gate: '< 1000000' });
    const { code } = await finish(cwd);
    expect(code).to.equal(0);
    const releases = join(cwd, 'releases/tiny');
    expect(readdirSync(releases)).to.include('current');
    // as a process that was killed while it published leaves it, and as somebody may call a folder of his own
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    const left = [`.publishing-${gone}`, `.publishing-${writerMark().replace(/^\d+/, String(gone))}`];
    for (const name of left) mkdirSync(join(releases, name));
    expect((await finish(cwd)).code, 'nothing is to do').to.equal(0);
    expect(readdirSync(releases).filter((name) => name.startsWith('.'))).to.deep.equal([left[0]]);
  });
});
