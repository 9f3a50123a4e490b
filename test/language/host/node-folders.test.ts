import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeFolders } from '../../../src/language/host/node-folders.js';

describe('makeFolders', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ftpc-folders-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('makes a folder with those above it, and names the topmost', () => {
    expect(makeFolders(join(folder, 'a/b/c'))).to.equal(join(folder, 'a'));
    expect(statSync(join(folder, 'a/b/c')).isDirectory()).to.equal(true);
    expect(makeFolders(join(folder, 'a/b/c'))).to.equal(undefined);
    expect(makeFolders(join(folder, 'a/b/d'))).to.equal(join(folder, 'a/b/d'));
  });

  it('takes a link to a folder as one', () => {
    symlinkSync('.', join(folder, 'link'));
    expect(makeFolders(join(folder, 'link'))).to.equal(undefined);
    makeFolders(join(folder, 'link/a'));
    expect(existsSync(join(folder, 'a'))).to.equal(true);
  });

  it('refuses a file in the place of a folder, and below one', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => makeFolders(join(folder, 'file'))).to.throw('EEXIST');
    expect(() => makeFolders(join(folder, 'file/a/b'))).to.throw('ENOTDIR');
  });

  it('ends where a folder takes no other', function () {
    // only Linux's /proc takes none and says that a folder above is missing
    if (!existsSync('/proc/self')) this.skip();
    expect(() => makeFolders('/proc/ftpc/a')).to.throw('ENOENT');
  });
});
