import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import * as v from 'valibot';
import { JsonFault, record } from '../../../src/language/host/json.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { firstDamage } from '../../../src/language/host/seal-damage.js';
import { FileSealer, SEALED_FILE, type SealedFile } from '../../../src/language/host/sealed-file.js';
import { checkedText, parseChecked } from '../../../src/language/host/self-check.js';
import { plainHost, verifiedHost } from '../../../src/language/host/verified-host.js';

const CHUNK = 16;

/** In pieces that fit no chunk. */
function sealed(bytes: Uint8Array, chunkBytes = CHUNK): SealedFile {
  const sealer = new FileSealer(chunkBytes);
  for (let at = 0; at < bytes.length; at += 7) sealer.add(bytes.subarray(at, at + 7));
  return sealer.seal();
}

const CONTENT = Buffer.from(Array.from({ length: 70 }, (_, i) => (i * 37) % 251));

describe('sealed files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-sealed-'));
  const path = join(folder, 'weights.bin');
  after(() => rmSync(folder, { recursive: true }));

  /** The file with one bit flipped, and its time kept. */
  function flipped(at: number): void {
    const bytes = Buffer.from(CONTENT);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    const { atime, mtime } = statSync(path);
    writeFileSync(path, bytes);
    utimesSync(path, atime, mtime);
  }
  const hostOf = (files: Readonly<Record<string, SealedFile>>) =>
    verifiedHost(nodeHost(folder), (at) =>
      at === folder
        ? { path: folder, files, isOpen: (name) => name === 'list.json', damaged: (what) => new Error(what) }
        : undefined,
    );

  beforeEach(() => writeFileSync(path, CONTENT));

  it('have a checksum of each chunk where there is more than one', () => {
    const { bytes, sha256, chunks } = sealed(CONTENT);
    expect({ bytes, chunks }).to.deep.equal({
      bytes: 70,
      chunks: { bytes: CHUNK, crc32: chunks?.crc32 },
    });
    expect(chunks?.crc32.length).to.equal(5 * 8);
    expect(sealed(CONTENT, 70)).to.deep.equal({ bytes: 70, sha256 });
    expect(sealed(new Uint8Array(0)).bytes).to.equal(0);
  });

  it('are handed out where they are as they were, from anywhere', () => {
    const host = hostOf({ 'weights.bin': sealed(CONTENT) });
    for (let start = 0; start < 70; start += 3)
      for (const length of [1, 5, 16, 40, 100])
        expect([...host.readBytes(path, start, length)]).to.deep.equal([
          ...CONTENT.subarray(start, start + length),
        ]);
    expect(host.readBytes(path).length).to.equal(70);
    expect(host.readText(path)).to.equal(CONTENT.toString('utf8'));
    expect(host.readBytes(path, 80, 5).length).to.equal(0);
  });

  for (const [what, file] of [
    ['with chunks', sealed(CONTENT)],
    ['of before chunks', { bytes: 70, sha256: sealed(CONTENT).sha256 }],
  ] as const)
    it(`${what}: every flipped byte is found as its part is read, and by a look`, () => {
      for (let at = 0; at < 70; at++) {
        flipped(at);
        const host = hostOf({ 'weights.bin': file });
        expect(() => host.readBytes(path, at, 1), `byte ${at}`).to.throw('`weights.bin` does not have');
        expect(() => hostOf({ 'weights.bin': file }).readText(path)).to.throw('`weights.bin` does not have');
        expect(plainHost(host).readBytes(path).length).to.equal(70);
        expect(firstDamage(host, folder, { 'weights.bin': file }, { look: 'sizes' })).to.match(
          /does not have/,
        );
      }
    });

  it('say where they are damaged, and of which size they should be', () => {
    flipped(40);
    const host = hostOf({ 'weights.bin': sealed(CONTENT) });
    expect(host.readBytes(path, 0, 32).length, 'what is sound is handed out').to.equal(32);
    expect(() => host.readBytes(path, 30, 10)).to.throw(
      '`weights.bin` does not have the content that was written (between bytes 32 and 48)',
    );
    writeFileSync(path, 'short');
    expect(() => hostOf({ 'weights.bin': sealed(CONTENT) }).readBytes(path)).to.throw(
      '5 bytes instead of 70',
    );
  });

  it('are the only ones that are read in their folder, next to what lists them', () => {
    const host = hostOf({});
    expect(() => host.readText(path)).to.throw('`weights.bin` was added later');
    writeFileSync(join(folder, 'list.json'), '{}');
    expect(host.readText(join(folder, 'list.json'))).to.equal('{}');
  });

  describe('of much', () => {
    const files = { 'weights.bin': sealed(CONTENT) };
    const cache = mkdtempSync(join(tmpdir(), 'ftpc-sealed-cache-'));
    after(() => rmSync(cache, { recursive: true }));
    let reads = 0;
    /** Far enough ahead for what was just written to count as settled. */
    const host = {
      ...nodeHost(folder),
      env: (name: string) => (name === 'XDG_CACHE_HOME' ? cache : undefined),
      now: () => Date.now() + 60_000,
      readBytes: (...asked: Parameters<ReturnType<typeof nodeHost>['readBytes']>) => {
        reads++;
        return nodeHost(folder).readBytes(...asked);
      },
    };
    const look = (how: 'all' | 'changed' | 'sizes'): string | undefined => {
      reads = 0;
      return firstDamage(host, folder, files, { look: how, alwaysRead: 0 });
    };

    it('are read once per change, which no kept time hides', () => {
      expect(look('sizes')).to.equal(undefined);
      expect(reads).to.equal(0);
      expect(look('changed')).to.equal(undefined);
      expect(reads).to.be.greaterThan(0);
      expect(look('changed')).to.equal(undefined);
      expect(reads, 'remembered').to.equal(0);
      flipped(1);
      expect(look('sizes')).to.equal(undefined);
      expect(look('changed')).to.match(/between bytes 0 and 16/);
      expect(look('changed'), 'damage is not remembered').to.match(/between bytes 0 and 16/);
    });

    it('are read again where the memory is damaged', () => {
      expect(look('all')).to.equal(undefined);
      const [memory = ''] = nodeHost(folder).list(join(cache, 'ftpc/checked'));
      const at = join(cache, 'ftpc/checked', memory);
      const text = readFileSync(at, 'utf8');
      expect(look('changed')).to.equal(undefined);
      expect(reads).to.equal(0);
      writeFileSync(at, text.replace('"size": 70', '"size": 71'));
      expect(look('changed')).to.equal(undefined);
      expect(reads).to.be.greaterThan(0);
    });
  });
});

describe('a record with a digest of itself', () => {
  const schema = v.object({ name: v.string(), files: record(SEALED_FILE), more: v.optional(v.string()) });
  const value = { name: 'one', files: { a: sealed(CONTENT) } };

  it('is read back, also with fields of a newer version, and one of before', () => {
    expect(parseChecked(schema, checkedText(value))).to.deep.equal(value);
    const newer = { ...value, later: 1 };
    expect(parseChecked(schema, checkedText(newer))).to.deep.equal(newer);
    expect(parseChecked(schema, JSON.stringify(value))).to.deep.equal(value);
  });

  it('is refused with any one bit flipped, or means the same', () => {
    const bytes = Buffer.from(checkedText(value));
    for (let at = 0; at < bytes.length; at++)
      for (let bit = 0; bit < 8; bit++) {
        const other = Buffer.from(bytes);
        other[at] = (other[at] ?? 0) ^ (1 << bit);
        const found = parseChecked(schema, other.toString('utf8'));
        if (!(found instanceof JsonFault)) expect(found, `byte ${at}, bit ${bit}`).to.deep.equal(value);
      }
  });
});
