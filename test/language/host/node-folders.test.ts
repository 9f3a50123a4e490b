import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeFolders } from '../../../src/language/host/node-folders.js';
import { leaveOut } from '../../helpers/leave-out.js';

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

  it('tells git to leave out what ftpc keeps next to a pipeline, and nothing else', () => {
    makeFolders(join(folder, 'project/.ftp/store'));
    expect(readFileSync(join(folder, 'project/.ftp/.gitignore'), 'utf8')).to.equal('*\n');
    expect(existsSync(join(folder, 'project/.gitignore'))).to.equal(false);
    makeFolders(join(folder, 'project/.ftp/tests/.ftp'));
    writeFileSync(join(folder, 'project/.ftp/.gitignore'), 'mine\n');
    makeFolders(join(folder, 'project/.ftp/runs'));
    expect(readFileSync(join(folder, 'project/.ftp/.gitignore'), 'utf8')).to.equal('mine\n');
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
    if (!existsSync('/proc/self')) leaveOut(this, 'there is no /proc');
    expect(() => makeFolders('/proc/ftpc/a')).to.throw('ENOENT');
  });
});
