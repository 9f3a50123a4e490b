/** What is said of an installation on the command line. */
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { secondsOf } from '../../../src/compute/libraries/damage.js';
import { freshFolder, ftpc } from './folders.js';

const NAME = 'node_modules/library.js';

/** An installation of `cpu` with one file, of which the disk has changed a letter since. */
function damaged(cache: string, touched: boolean): void {
  const folder = join(cache, 'ftpc/runtimes/cpu');
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  writeFileSync(join(folder, NAME), 'other');
  const modified = secondsOf(Date.now()) - 100;
  utimesSync(join(folder, NAME), modified, touched ? modified + 50 : modified);
  const files = { [NAME]: { bytes: 5, sha256: 'of something else', modified } };
  const manifest = { version: 1, packages: { '@tensorflow/tfjs-core': '4.22.0' }, bytes: 5, files };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
}

describe('a damaged installation', () => {
  const told = `\`${NAME}\` has other content than was installed`;
  for (const touched of [true, false])
    it(`is found by doctor, and ${touched ? '' : 'not '}by list where its time ${touched ? 'is another' : 'is the same'}`, async () => {
      const cache = freshFolder();
      damaged(cache, touched);
      const list = await ftpc(cache, ['runtime', 'list', '--json'], { XDG_CACHE_HOME: cache });
      const { runtimes } = JSON.parse(list.out) as { runtimes: { name: string; damage: string | null }[] };
      expect(runtimes.find(({ name }) => name === 'cpu')?.damage).to.equal(touched ? told : null);
      const plain = await ftpc(cache, ['runtime', 'list'], { XDG_CACHE_HOME: cache });
      const words = plain.out.replaceAll(/\s+/g, ' ');
      expect(words.includes(`damaged: ${told}; \`ftpc runtime install cpu\` repairs it`)).to.equal(touched);
      const { code, out } = await ftpc(cache, ['doctor', '--engine', 'embedded', '--json'], {
        XDG_CACHE_HOME: cache,
      });
      const { findings } = JSON.parse(out) as { findings: { name: string; state: string; detail: string }[] };
      const found = findings.find(({ name }) => name === 'cpu');
      expect([code, found?.state]).to.deep.equal([1, 'failed']);
      expect(found?.detail).to.contain(told);
    });

  it('is none where the cache is named by a path that is not absolute', async () => {
    const folder = freshFolder();
    damaged(join(folder, 'cache'), true);
    const { out } = await ftpc(folder, ['runtime', 'list'], { XDG_CACHE_HOME: 'cache', HOME: folder });
    expect(out).to.not.contain('damaged');
  });
});
