import { createHash } from 'node:crypto';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { openDigests } from '../../../src/language/host/digests.js';
import { nodeHost } from '../../../src/language/host/node-host.js';

describe('digests that are remembered', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-digests-'));
  after(() => rmSync(folder, { recursive: true }));

  it('are not those of another file of the same size and time, as files of an archive have', async () => {
    // far enough ahead for what was just written to count as settled
    const host = { ...nodeHost(folder), now: () => Date.now() + 60_000 };
    const path = join(folder, 'model.safetensors');
    const write = (name: string, text: string): void => {
      writeFileSync(join(folder, name), text);
      utimesSync(join(folder, name), 1, 1);
    };
    write('model.safetensors', 'one');
    const first = openDigests(host);
    const digest = first.of(path);
    const table = first.changed();
    expect(openDigests(host, table).of(path)).to.equal(digest);
    // the clock of a file system ticks every few milliseconds
    await setTimeout(50);
    write('other.safetensors', 'two');
    renameSync(join(folder, 'other.safetensors'), path);
    expect(openDigests(host, table).of(path)).not.to.equal(digest);
  });

  it('of large files are kept for plans of other projects, and read again where they are damaged or of another file', () => {
    let pieces = 0;
    const real = nodeHost(folder);
    const host = {
      ...real,
      now: () => Date.now() + 60_000,
      env: (name: string) => (name === 'XDG_CACHE_HOME' ? join(folder, 'cache') : real.env(name)),
      readBytes: (...asked: Parameters<typeof real.readBytes>) => {
        pieces++;
        return real.readBytes(...asked);
      },
    };
    const path = join(folder, 'weights.safetensors');
    writeFileSync(path, 'weights');
    truncateSync(path, 2 ** 26 + 3);
    const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
    /** In a new project, which has no table; and whether the file was read for it. */
    const again = (): readonly [string, boolean] => {
      pieces = 0;
      return [openDigests(host).of(path), pieces > 0];
    };
    expect(again()).to.deep.equal([digest, true]);
    expect(again()).to.deep.equal([digest, false]);
    const [kept = ''] = readdirSync(join(folder, 'cache', 'ftpc', 'digests'));
    const file = join(folder, 'cache', 'ftpc', 'digests', kept);
    writeFileSync(file, readFileSync(file, 'utf8').replace(digest, digest.replace(/./g, '0')));
    expect(again()).to.deep.equal([digest, true]);
    expect(again()).to.deep.equal([digest, false]);
    utimesSync(path, 1, 1);
    expect(again()).to.deep.equal([digest, true]);
  });

  it('of small files are not kept', () => {
    const cache = join(folder, 'small-cache');
    const real = nodeHost(folder);
    const host = { ...real, now: () => Date.now() + 60_000, env: () => cache };
    writeFileSync(join(folder, 'small.txt'), 'small');
    openDigests(host).of(join(folder, 'small.txt'));
    expect(real.stat(cache)).to.equal(undefined);
  });
});
