import { resolve } from 'node:path';
import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import type { Host } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { positionAt } from '../../../src/language/source/text.js';
import { lossyText } from '../../../src/language/source/utf8.js';

/** The machine with files of any bytes laid over it. */
function hostWith(files: Readonly<Record<string, Uint8Array>>): Host {
  const real = nodeHost('/nowhere');
  const laid = new Map(Object.entries(files).map(([name, bytes]) => [resolve('/nowhere', name), bytes]));
  return {
    ...real,
    readText: (path) => {
      const bytes = laid.get(path);
      return bytes === undefined ? real.readText(path) : lossyText(bytes);
    },
    readBytes: (path, start, length) => laid.get(path) ?? real.readBytes(path, start, length),
    stat(path) {
      const bytes = laid.get(path);
      return bytes === undefined ? real.stat(path) : { size: bytes.length, isFolder: false, modified: 0 };
    },
  };
}

function found(files: Readonly<Record<string, Uint8Array>>) {
  const { diagnostics, sources } = compile(hostWith(files), 'a.ftp');
  return diagnostics.map(({ code, at }) => {
    const source = at === undefined ? undefined : sources.get(at.file);
    const { line, column } =
      source === undefined || at === undefined || !('start' in at)
        ? { line: 0, column: 0 }
        : positionAt(source, at.start);
    return `${code} ${at?.file}:${line}:${column}`;
  });
}

const latin = (text: string): Uint8Array => Buffer.from(text, 'latin1');

describe('a pipeline that is not UTF-8', () => {
  it('is one error, where its first such byte is, also if that is in a comment or a string', () => {
    expect(found({ 'a.ftp': latin('edition 2026\n// café\nparam x: Intt = 1\n') })).to.deep.equal([
      'FTP1062 a.ftp:2:7',
    ]);
  });

  it('is one error for UTF-16, and for bytes that are no text', () => {
    const wide = Buffer.from('\ufeffedition 2026\ndata d {}\n', 'utf16le');
    expect(found({ 'a.ftp': wide })).to.deep.equal(['FTP1062 a.ftp:1:1']);
    const noise = Uint8Array.from({ length: 5000 }, (_, index) => (index * 151) % 256);
    expect(found({ 'a.ftp': noise })).to.have.length(1);
  });

  it('is read where replacement characters are its own', () => {
    expect(found({ 'a.ftp': Buffer.from('edition 2026\n// \ufffd\nparam x: Intt = 1\n') })).to.deep.equal([
      'FTP0504 a.ftp:3:10',
    ]);
  });

  it('as a module, says nothing of the names that are imported from it', () => {
    const main = Buffer.from('edition 2026\nimport { x } from "./b.ftp"\nparam y: Int = x\n');
    expect(found({ 'a.ftp': main, 'b.ftp': latin('edition 2026\n// é\nparam x: Int = 1\n') })).to.deep.equal([
      'FTP1062 b.ftp:2:4',
    ]);
  });
});
