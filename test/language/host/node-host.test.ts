import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { HostError } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { leaveOut } from '../../helpers/leave-out.js';

describe('the real disk', () => {
  const file = fileURLToPath(import.meta.url);

  it('has nothing below a file, and nothing under an impossible name', () => {
    const { stat } = nodeHost();
    expect(stat(file)?.isFolder).to.equal(false);
    expect(stat(`${file}/below`)).to.equal(undefined);
    expect(stat(`/${'x'.repeat(300)}`)).to.equal(undefined);
    expect(stat('a\0b')).to.equal(undefined);
  });

  it('reads no device and no pipe, which would have no end', function () {
    if (process.platform === 'win32') leaveOut(this, 'Windows has no such files');
    const folder = mkdtempSync(join(tmpdir(), 'ftpc-host-'));
    after(() => rmSync(folder, { recursive: true, force: true }));
    symlinkSync('/dev/zero', join(folder, 'zero'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const { readText, readBytes } = nodeHost();
    for (const name of ['zero', 'pipe'])
      for (const read of [readText, readBytes])
        expect(() => read(join(folder, name)), name)
          .to.throw(HostError)
          .with.property('code', 'no_file');
    expect(readText('/dev/null')).to.equal('');
  });
});
