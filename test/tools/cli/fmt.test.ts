import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { freshFolder, ftpc } from './folders.js';

const MESSY = 'edition 2026\nparam a:Int=1 // why\n';
const TIDY = 'edition 2026\nparam a: Int = 1 // why\n';

describe('ftpc fmt', () => {
  let folder = '';
  const write = (name: string, text: string | Uint8Array): void => writeFileSync(join(folder, name), text);
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

  let all = '';
  before(() => {
    all = freshFolder();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(all, 'fmt-'));
  });

  it('formats the files below a folder, and leaves alone what is not the author’s', async () => {
    for (const name of ['sub', 'node_modules', '.ftp', '.git']) mkdirSync(join(folder, name));
    const mine = ['a.ftp', 'sub/b.ftp'];
    const others = ['node_modules/c.ftp', '.ftp/d.ftp', '.git/e.ftp', 'f.txt'];
    for (const name of [...mine, ...others]) write(name, MESSY);
    write('tidy.ftp', TIDY);
    const { code, out, err } = await ftpc(folder, ['fmt']);
    expect({ code, out }).to.deep.equal({ code: 0, out: 'a.ftp\nsub/b.ftp\n' });
    expect(err).to.contain('formatted 2 of 3 files');
    for (const name of mine) expect(read(name)).to.equal(TIDY);
    for (const name of others) expect(read(name)).to.equal(MESSY);
    expect((await ftpc(folder, ['fmt', '--check'])).code).to.equal(0);
  });

  it('names what is not formatted with --check, and shows how it should be with --diff', async () => {
    write('a.ftp', MESSY);
    const checked = await ftpc(folder, ['fmt', '--check', 'a.ftp']);
    expect(checked).to.deep.include({ code: 1, out: 'a.ftp\n' });
    const shown = await ftpc(folder, ['fmt', '--diff', 'a.ftp']);
    expect(shown.code).to.equal(0);
    expect(shown.out).to.contain('--- a/a.ftp\n+++ b/a.ftp\n');
    expect(shown.out).to.contain('\n-param a:Int=1 // why\n+param a: Int = 1 // why\n');
    expect((await ftpc(folder, ['fmt', '--diff', '--check', 'a.ftp'])).code).to.equal(1);
    expect(read('a.ftp')).to.equal(MESSY);
  });

  it('keeps the mode of a file, and a link a link', async () => {
    write('real.ftp', MESSY);
    chmodSync(join(folder, 'real.ftp'), 0o640);
    symlinkSync('real.ftp', join(folder, 'link.ftp'));
    const { code, out } = await ftpc(folder, ['fmt', 'link.ftp', 'real.ftp']);
    expect({ code, out }).to.deep.equal({ code: 0, out: 'link.ftp\n' });
    expect(lstatSync(join(folder, 'link.ftp')).isSymbolicLink()).to.equal(true);
    expect(read('real.ftp')).to.equal(TIDY);
    expect(statSync(join(folder, 'real.ftp')).mode & 0o777).to.equal(0o640);
  });

  it('formats the rest where one file has errors', async () => {
    write('a.ftp', MESSY);
    write('bad.ftp', 'edition 2026\nparam a Int=1\n');
    write('latin.ftp', new Uint8Array([...Buffer.from('edition 2026\n// '), 0xff, 10]));
    const { code, out, err } = await ftpc(folder, ['fmt', '.', 'nowhere']);
    expect({ code, out }).to.deep.equal({ code: 1, out: 'a.ftp\n' });
    for (const found of ['FTP0601', 'FTP0107', 'FTP1101', 'FTP1062']) expect(err).to.contain(found);
    expect(err).to.contain('2 could not be formatted');
    expect(readFileSync(join(folder, 'latin.ftp'))).to.deep.equal(
      Buffer.from([...Buffer.from('edition 2026\n// '), 0xff, 10]),
    );
  });

  it('finds that a folder has nothing to format', async () => {
    mkdirSync(join(folder, 'empty'));
    const { code, err } = await ftpc(folder, ['fmt', '--check', 'empty']);
    expect(code).to.equal(1);
    expect(err).to.contain('FTP1103');
  });

  it('takes standard input and gives standard output', async () => {
    expect(await ftpc(folder, ['fmt', '-'], {}, MESSY)).to.deep.equal({ code: 0, out: TIDY, err: '' });
    expect(await ftpc(folder, ['fmt', '-'], {}, '')).to.deep.equal({ code: 0, out: '', err: '' });
    expect((await ftpc(folder, ['fmt', '-', '--check'], {}, MESSY)).code).to.equal(1);
    const broken = await ftpc(folder, ['fmt', '-'], {}, 'param a Int\n');
    expect(broken).to.deep.include({ code: 1, out: '' });
    expect(broken.err).to.contain('<standard input>:1:9');
    expect((await ftpc(folder, ['fmt', '-', 'a.ftp'])).err).to.contain('`-` cannot be combined with files');
  });

  it('says it all as JSON', async () => {
    write('a.ftp', MESSY);
    const { out } = await ftpc(folder, ['fmt', '--check', '--json']);
    expect(JSON.parse(out)).to.deep.equal({
      version: 1,
      files: [{ file: 'a.ftp', status: 'changed' }],
      diagnostics: [],
    });
  });
});
