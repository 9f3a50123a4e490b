import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { HostError } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { openRepository } from '../../../src/tools/cli/review/git.js';
import { refHost } from '../../../src/tools/review/ref-host.js';
import { noGit, type Working, workingFolder } from './repository.js';

describe(`a host at a commit${noGit === undefined ? '' : ` (skipped: ${noGit})`}`, () => {
  let work: Working;
  before(function () {
    if (noGit !== undefined) this.skip();
    work = workingFolder();
    work.git('init', '-q', '-b', 'main');
    for (const name of ['same', 'changed', 'gone', 'folder/same', 'folder/gone', 'lost/one', 'lost/deep/two'])
      work.write(`tree/${name}.txt`, `${name} before`);
    work.write('.gitignore', 'ignored.txt\n');
    work.write('tree/swap', 'a file');
    work.commit();
    rmSync(join(work.path, 'tree/gone.txt'));
    rmSync(join(work.path, 'tree/folder/gone.txt'));
    rmSync(join(work.path, 'tree/lost'), { recursive: true });
    rmSync(join(work.path, 'tree/swap'));
    work.write('tree/changed.txt', 'changed since');
    work.write('tree/swap/inner.txt', 'now a folder');
    work.write('tree/come/new.txt', 'new');
    work.git('add', '-A');
    work.write('tree/ignored.txt', 'ignored');
    work.write('tree/loose.txt', 'not added');
  });
  after(() => work?.remove());

  const open = () => {
    const repository = openRepository(join(work.path, 'tree/same.txt'), 'HEAD', 'same.txt');
    return refHost(nodeHost(work.path), repository, 'HEAD', () => {});
  };
  const at = (name: string): string => join(work.path, 'tree', name);
  const codeOf = (read: () => unknown): string => {
    try {
      read();
    } catch (error) {
      if (error instanceof HostError) return error.code;
      throw error;
    }
    return 'read';
  };

  it('reads what was there, and not what came later', () => {
    const { host } = open();
    for (const name of [
      'same',
      'changed',
      'gone',
      'folder/same',
      'folder/gone',
      'lost/one',
      'lost/deep/two',
    ]) {
      expect(host.readText(at(`${name}.txt`)), name).to.equal(`${name} before`);
      expect(host.stat(at(`${name}.txt`)), name).to.include({
        size: `${name} before`.length,
        isFolder: false,
      });
      expect(Buffer.from(host.readBytes(at(`${name}.txt`), 1, 3)).toString()).to.equal(name.slice(1, 4));
    }
    expect(host.readText(at('swap'))).to.equal('a file');
    expect(host.stat(at('come/new.txt'))).to.equal(undefined);
    expect(codeOf(() => host.readText(at('come/new.txt')))).to.equal('not_found');
    expect(codeOf(() => host.readBytes(at('lost')))).to.equal('is_folder');
  });

  it('lists folders with what is gone, what is unchanged, and what git does not know', () => {
    const { host } = open();
    expect(host.list(at('folder'))).to.deep.equal(['gone.txt', 'same.txt']);
    expect(host.list(at('lost'))).to.deep.equal(['deep', 'one.txt']);
    expect(host.stat(at('lost/deep'))?.isFolder).to.equal(true);
    expect(host.list(at('.'))).to.include.members([
      'changed.txt',
      'gone.txt',
      'same.txt',
      'ignored.txt',
      'loose.txt',
      'lost',
      'folder',
    ]);
    expect(host.list(work.path)).to.include.members(['tree', '.gitignore']);
  });

  it('finds files by pattern as the real one does', () => {
    const { host } = open();
    const names = (pattern: string, base = at('.')) =>
      host.glob(pattern, base).map((path) => path.slice(at('').length + 1));
    expect(names('*.txt')).to.deep.equal(['changed.txt', 'gone.txt', 'ignored.txt', 'loose.txt', 'same.txt']);
    expect(names('lost/**/*.txt')).to.deep.equal(['lost/deep/two.txt', 'lost/one.txt']);
    expect(names('../tree/{gone,come/new}.txt')).to.deep.equal(['gone.txt']);
    expect(names('folder')).to.deep.equal(
      nodeHost(work.path).glob('folder', at('.')).length > 0 ? ['folder/gone.txt', 'folder/same.txt'] : [],
    );
    expect(names('*.txt', at('lost'))).to.deep.equal(['lost/one.txt']);
  });

  it('remembers which files of the working tree it read', () => {
    const { host, taken } = open();
    for (const name of ['same.txt', 'changed.txt', 'ignored.txt']) host.readText(at(name));
    expect(taken()).to.deep.equal(['tree/ignored.txt', 'tree/same.txt']);
  });

  it('does not name what is next to the repository, of which git knows nothing', () => {
    const neighbour = `${work.path}-next.txt`;
    writeFileSync(neighbour, 'a cache, say');
    const { host, taken } = open();
    expect(host.readText(neighbour)).to.equal('a cache, say');
    rmSync(neighbour);
    expect(taken()).to.deep.equal([]);
  });
});
