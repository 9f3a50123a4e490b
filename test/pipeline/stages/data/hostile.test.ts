/** Files as people have them, and as nobody should: each is a diagnostic or a line of the report. */
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import type { Call } from '../../../../src/language/ir/program.js';
import { call, cleanUp, jsonl, lines, pair, runData } from './stage.js';

const rows = lines(pair('q1', 'a1'), pair('q2', 'a2'));
const MARK = '\ufeff';
const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
/** The start of a zip file: the header of its first file, without its content. */
const zipped = (name: string): Buffer => {
  const header = Buffer.alloc(30);
  header.write('PK\u0003\u0004', 'latin1');
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, Buffer.from(name)]);
};
const csv = call('csv', { files: 'f', delimiter: 'comma' });

async function errorOf(content: string | Uint8Array, source: Call = jsonl('f')): Promise<string> {
  const error = await runData({ f: content }, { source }).catch((thrown: unknown) => thrown);
  expect(error).to.be.instanceOf(UserError);
  const { code, message, help, notes } = (error as UserError).diagnostic;
  return [code, message, help, ...(notes ?? [])].join('\n');
}

/** Details of the rows that were dropped, and how many were kept. */
async function dropped(content: string | Uint8Array): Promise<readonly (string | number)[]> {
  const { report } = await runData({ f: content }, { source: jsonl('f') });
  return [...report.dropped.map(({ line, detail }) => `${line}: ${detail}`), report.kept];
}

describe('data stage: files that are not what they should be', () => {
  afterEach(cleanUp);

  it('are told by how they begin', async () => {
    const cases: readonly (readonly [string, string | Uint8Array, string])[] = [
      ['UTF-16', utf16(MARK + rows), 'convert it to UTF-8'],
      ['UTF-16', utf16(rows), 'convert it to UTF-8'],
      ['UTF-16', utf16(rows).swap16(), 'convert it to UTF-8'],
      ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x7b, 0, 0, 0]), 'convert it to UTF-8'],
      ['JSON list', JSON.stringify([pair('a', 'b')]), 'read it with `json("…")`'],
      ['JSON list', MARK + JSON.stringify([pair('a', 'b')], null, 2), 'read it with `json("…")`'],
      ['JSON', JSON.stringify(pair('a', 'b'), null, 2), 'write each object on one line'],
      ['CR-only text', rows.replaceAll('\n', '\r'), 'convert the line ends to LF'],
      ['HTML', '<!DOCTYPE html>\n<title>404</title>', 'download the file again'],
      ['Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:1\n', '`git lfs pull`'],
      ['JSON list', gzipSync(JSON.stringify([pair('a', 'b')])), 'read it with `json("…")`'],
      ['gzip in gzip', gzipSync(gzipSync(rows)), 'decompress it once'],
      ['zip', zipped('rows.jsonl'), 'decompress it first'],
      ['Excel or LibreOffice', zipped('[Content_Types].xml'), 'save its sheet as CSV'],
    ];
    for (const [name, content, help] of cases) {
      const found = await errorOf(content);
      const article = /^(?:HTML|Excel)/.test(name) ? 'an' : 'a';
      expect(found, name).to.include(
        `FTP0609\n\`f\` is ${article} ${name} file, which \`jsonl\` cannot read`,
      );
      expect(found, name).to.include(help);
    }
  });

  it('lose the rows that are wrong, with their line and the reason', async () => {
    expect(await dropped(MARK + rows)).to.deep.equal([2]);
    expect(await dropped(rows + MARK + lines(pair('q3', 'a3')))).to.deep.equal([
      '3: it begins with a byte-order mark (U+FEFF), as where files with one were joined: remove it',
      2,
    ]);
    for (const number of ['1e999', '-1E+400', '9'.repeat(400)])
      expect(await dropped(`{"instruction":"a","output":"b","x":[${number}]}\n${rows}`)).to.deep.equal([
        '1: it has a number that is too large for any computer, such as 1e999',
        2,
      ]);
    expect(await dropped(`{"instruction":"1e999 is a number","output":"b","x":1e-999}\n`)).to.deep.equal([1]);
    const deep = `{"instruction":"a","output":"b","x":${'['.repeat(2e5)}${']'.repeat(2e5)}}\n`;
    expect(await dropped(deep + rows)).to.deep.equal(['1: it is nested more than 500 levels deep', 2]);
    expect(await dropped(`{"instruction":"a","instruction":"b","output":"c"}\n${rows}`)).to.deep.equal([
      '1: an object in it names `instruction` twice',
      2,
    ]);
    const half = Buffer.concat([Buffer.from('{"instruction":"a'), Buffer.from([0xe2, 0x82])]);
    expect(await dropped(Buffer.concat([Buffer.from(rows), half]))).to.deep.equal([
      '3: not UTF-8: byte 18 of the row is not valid',
      2,
    ]);
    const late = `${'\n'.repeat(3_000_000)}${lines(pair('a', ''), pair('b', 'c'))}`;
    expect(await dropped(late)).to.deep.equal(['3000001: `output` is empty', 1]);
  });

  it('end where they cannot be read on', async () => {
    expect(await errorOf(gzipSync(rows.repeat(1000)).subarray(0, 60))).to.match(
      /^FTP0610\n`f` cannot be unpacked/,
    );
    expect(await errorOf('instruction,output,,\na,b,,\n', csv)).to.include('several columns without a name');
    const parquet = Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(100), Buffer.from('PAR1')]);
    const broken = await errorOf(parquet, call('parquet', { files: 'f' }));
    expect(broken).to.match(/^FTP0610\n`f` cannot be read as Parquet: /);
    expect(broken).not.to.include('/tmp');
  });

  it('unpack to as much as a disk has, and are not read to the end @long', async () => {
    const bomb = gzipSync(Buffer.alloc((1 << 28) + 1, '\n'));
    expect(await errorOf(bomb)).to.match(/^FTP0612\n`f` unpacks to more than 200 times its \d+ bytes\n/);
    // zstd: a frame without a size, and 128 KiB of line ends in each block of four bytes
    const start = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x58];
    const block = (isLast: boolean) => [((1 << 17) << 3) | (1 << 1) | Number(isLast), 0x0a];
    const blocks = Array.from({ length: 2049 }, (_, at) => {
      const [header = 0, byte = 0] = block(at === 2048);
      return [header & 0xff, (header >> 8) & 0xff, header >> 16, byte];
    });
    expect(await errorOf(Buffer.from([...start, ...blocks.flat()]))).to.match(
      /^FTP0612\n`f` unpacks to more than 200 times its \d+ bytes\nlook at what is in it: `zstd -dc FILE/,
    );
  });
});
