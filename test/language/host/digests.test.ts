import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
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
});
