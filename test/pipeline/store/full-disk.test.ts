import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { UserError } from '../../../src/language/diagnostics/types.js';
import { openStore, outputFolder, replaceFile, workFolder } from '../../../src/pipeline/store/index.js';
import { leaveOut } from '../../helpers/leave-out.js';
import { freshFolder } from './folders.js';

/** A file system of one mebibyte; `undefined` where mounting is not allowed. */
function tinyDisk(): string | undefined {
  let mounted: string | undefined;
  // Asked for before the folder is, so that it is unmounted before it is removed.
  after(() => mounted !== undefined && execFileSync('umount', [mounted]));
  const folder = join(freshFolder(), 'disk');
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  mounted = folder;
  return folder;
}

describe('a full disk', () => {
  let disk: string | undefined;
  before(function () {
    disk = tinyDisk();
    if (disk === undefined) leaveOut(this, 'mounting a small file system needs root');
  });

  const big = new Uint8Array(2 ** 21);
  const problem = (work: () => void): UserError => {
    try {
      work();
    } catch (error) {
      if (error instanceof UserError) return error;
      throw error;
    }
    throw new Error('nothing was thrown');
  };

  it('ends a write with the path and the bytes that were needed, and leaves nothing half written', () => {
    const store = openStore(disk ?? '');
    const folder = store.begin('a'.repeat(64));
    const { diagnostic } = problem(() => outputFolder(folder).write('weights.bin', big));
    expect(diagnostic.code).to.equal('FTP0801');
    expect(diagnostic.message).to.contain('weights.bin').and.contain('the disk is full');
    expect(diagnostic.notes?.join()).to.contain(String(big.length));
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('ends a replacement with the path that was asked for, and leaves the old file', () => {
    const path = join(disk ?? '', 'page.md');
    replaceFile(path, 'old');
    const { diagnostic } = problem(() => replaceFile(path, 'x'.repeat(2 ** 21)));
    expect(diagnostic.message).to.equal(`cannot write \`${path}\`: the disk is full`);
    expect(readFileSync(path, 'utf8')).to.equal('old');
  });

  it('keeps the last checkpoint when there is no room for the next', async () => {
    const path = join(disk ?? '', 'work');
    const work = workFolder(path, () => {});
    await work.commit('step-1', { state: new Uint8Array(1000) });
    const { diagnostic } = await work.commit('step-2', { state: big }).then(
      () => expect.fail('nothing was thrown'),
      (error: UserError) => error,
    );
    expect(diagnostic.code).to.equal('FTP0801');
    expect(work.committed()).to.deep.equal(['step-1']);
    expect(readdirSync(path)).to.deep.equal(['step-1']);
    const { bavail, bsize } = statfsSync(path);
    expect(bavail * bsize, 'the room is given back').to.be.above(900_000);
  });

  it('ends a file that grows line by line in the same way', () => {
    const folder = openStore(disk ?? '').begin('b'.repeat(64));
    const file = outputFolder(folder).open('rows.jsonl');
    const line = `${'x'.repeat(9999)}\n`;
    expect(
      problem(() => {
        for (let count = 0; count < 300; count++) file.write(line);
      }).message,
    ).to.contain('the disk is full');
    file.close();
    expect(existsSync(folder)).to.equal(true);
  });
});
