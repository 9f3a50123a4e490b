import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { textOf, unzip, withZip, ZipError } from '../../../src/tools/install/zip.js';
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

  const unzipped = (path: string): Promise<void> =>
    withZip(path, async (zip, files) => {
      for (const entry of files) await unzip(zip, entry, join(folder, 'out'));
    });

  it('is read file by file, deflated or stored, with permissions', async () => {
    const path = written(await zipOf({ 'a/long.txt': long, 'b.stored': 'as it is', empty: '' }));
    await unzipped(path);
    expect(readFileSync(join(folder, 'out/a/long.txt'), 'utf8')).to.equal(long);
    expect(readFileSync(join(folder, 'out/b.stored'), 'utf8')).to.equal('as it is');
    expect(readFileSync(join(folder, 'out/empty'), 'utf8')).to.equal('');
    expect(statSync(join(folder, 'out/empty')).mode & 0o700).to.equal(0o600);
    const [first] = await withZip(path, async (zip, files) =>
      Promise.all(files.map((entry) => textOf(zip, entry))),
    );
    expect(first).to.equal(long);
  });

  it('is found before a comment, too', async () => {
    const content = await zipOf({ a: 'b' });
    content.writeUInt16LE(3, content.length - 2);
    await unzipped(written(Buffer.concat([content, Buffer.from('end')])));
    expect(readFileSync(join(folder, 'out/a'), 'utf8')).to.equal('b');
  });

  it('is refused where it is damaged, at whatever byte it ends', async () => {
    const content = await zipOf({ 'a/long.txt': 'text '.repeat(50) });
    for (let length = 0; length < content.length; length++)
      expect(await failure(unzipped(written(content.subarray(0, length)))), String(length)).to.be.instanceOf(
        ZipError,
      );
    content.writeUInt32LE(0xffffffff, content.indexOf('PK\x01\x02') + 24);
    expect(await failure(unzipped(written(content)))).to.be.instanceOf(ZipError);
  });

  it('ends well or with an error of its own, whichever bytes are spoilt', async () => {
    const content = await zipOf({ 'a/long.txt': 'text '.repeat(50), 'b.stored': 'as it is' });
    for (let at = 0; at < content.length; at += 2)
      for (const value of [0, 0xff]) {
        const spoilt = Buffer.from(content);
        spoilt[at] = value;
        const error = await failure(unzipped(written(spoilt)));
        expect(error === undefined || error instanceof ZipError, `${at}: ${error}`).to.equal(true);
      }
  });

  it('is not believed a size or a name', async () => {
    const content = await zipOf({ 'aa/bb': 'twelve bytes, and more that a bomb would have' });
    const directory = content.indexOf('PK\x01\x02');
    const short = Buffer.from(content);
    short.writeUInt32LE(11, directory + 24);
    expect(await failure(unzipped(written(short)))).to.be.instanceOf(ZipError);
    for (const name of ['../bb', '/etc/', '..\\bb', 'c:/bb', 'a/../', 'a//bb', 'a\x00/bb']) {
      const named = Buffer.from(content);
      named.write(name.padEnd(5, 'x'), directory + 46, 'latin1');
      expect(await failure(unzipped(written(named))), name).to.be.instanceOf(ZipError);
    }
    expect(readdirSync(folder)).to.have.members(['a.zip', 'out']);
  });
});

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );
