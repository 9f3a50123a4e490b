import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { placeOf, unzip, type ZipEntry, ZipError, zipEntries } from '../../../src/tools/install/zip.js';
import { zipOf } from './index-server.js';

describe('a zip file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'zip-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const written = (content: Buffer): string => {
    const path = join(folder, 'a.zip');
    writeFileSync(path, content);
    return path;
  };
  const long = 'words and words '.repeat(20_000);

  it('is read file by file, deflated or stored, with permissions', async () => {
    const path = written(await zipOf({ 'a/long.txt': long, 'b.stored': 'as it is', empty: '' }));
    const entries = zipEntries(path);
    expect(entries.map(({ name, bytes, method, mode }) => ({ name, bytes, method, mode }))).to.deep.equal([
      { name: 'a/long.txt', bytes: long.length, method: 'deflated', mode: 0o644 },
      { name: 'b.stored', bytes: 8, method: 'stored', mode: 0o644 },
      { name: 'empty', bytes: 0, method: 'deflated', mode: 0o644 },
    ]);
    for (const entry of entries) await unzip(path, entry, placeOf(join(folder, 'out'), entry));
    expect(readFileSync(join(folder, 'out/a/long.txt'), 'utf8')).to.equal(long);
    expect(readFileSync(join(folder, 'out/b.stored'), 'utf8')).to.equal('as it is');
    expect(readFileSync(join(folder, 'out/empty'), 'utf8')).to.equal('');
  });

  it('is found also behind a comment', async () => {
    const content = await zipOf({ a: 'b' });
    content.writeUInt16LE(3, content.length - 2);
    expect(zipEntries(written(Buffer.concat([content, Buffer.from('end')])))).to.have.length(1);
  });

  it('is refused where it is damaged, at whatever byte it ends', async () => {
    const content = await zipOf({ 'a/long.txt': 'text '.repeat(50) });
    for (let length = 0; length < content.length; length++)
      expect(() => zipEntries(written(content.subarray(0, length))), String(length)).to.throw(ZipError);
    content.writeUInt32LE(0xffffffff, content.indexOf('PK\x01\x02') + 24);
    expect(() => zipEntries(written(content))).to.throw(ZipError, 'unsupported compression');
  });

  it('is not believed a size or a name', async () => {
    const path = written(await zipOf({ a: 'twelve bytes' }));
    const [entry] = zipEntries(path);
    if (entry === undefined) throw new Error('the file has an entry');
    const failed = await unzip(path, { ...entry, bytes: 11 }, join(folder, 'a')).catch(
      (error: unknown) => error,
    );
    expect(failed).to.be.instanceOf(ZipError);
    const named = (name: string): ZipEntry => ({ ...entry, name });
    for (const name of ['../a', '/etc/a', 'a/../../b', 'a\\..\\b', 'a//b'])
      expect(() => placeOf(folder, named(name)), name).to.throw(ZipError, 'outside its folder');
    expect(placeOf(folder, named('a/b..c'))).to.equal(join(folder, 'a/b..c'));
  });
});
