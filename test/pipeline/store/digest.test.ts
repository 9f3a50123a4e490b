import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readParts, sealFile } from '../../../src/pipeline/store/digest.js';
import { freshFolder } from './folders.js';

describe('reading a file through a window', () => {
  const path = join(freshFolder(), 'file');
  before(() => writeFileSync(path, Buffer.alloc(600_000, 'abc')));

  it('hands all of it over', () => {
    const parts: Buffer[] = [];
    readParts(path, (part) => parts.push(Buffer.from(part)));
    expect(parts).to.have.length.above(1);
    expect(Buffer.concat(parts).equals(Buffer.alloc(600_000, 'abc'))).to.equal(true);
  });

  it('uses the same window for one file after another, and after one that fails', () => {
    const windows = new Set<unknown>();
    const note = (part: Uint8Array): unknown => windows.add(part.buffer);
    readParts(path, note);
    expect(() =>
      readParts(path, () => {
        throw new Error('full');
      }),
    ).to.throw('full');
    readParts(path, note);
    expect(windows.size).to.equal(1);
  });

  it('uses another one for a file that is read while one is', () => {
    const sealed = sealFile(path);
    readParts(path, (part) => {
      const before = Buffer.from(part);
      expect(sealFile(path)).to.deep.equal(sealed);
      expect(before.equals(part)).to.equal(true);
    });
  });
});
