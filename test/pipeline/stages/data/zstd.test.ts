/** Files that zstd itself packed (`test/fixtures/zstd/record.py`). */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { UnpackError } from '../../../../src/pipeline/stages/data/read/unpack-error.js';
import { unpackZstd } from '../../../../src/pipeline/stages/data/read/zstd.js';
import { cleanUp, jsonl, runData } from './stage.js';

interface Recorded {
  readonly cases: readonly {
    readonly name: string;
    readonly size: number;
    readonly sha256: string;
    readonly packed: string;
  }[];
  readonly refused: readonly { readonly name: string; readonly packed: string }[];
}

const recorded = JSON.parse(readFileSync('test/fixtures/zstd/files.json', 'utf8')) as Recorded;
const packedOf = (name: string): Buffer => {
  const found = [...recorded.cases, ...recorded.refused].find((one) => one.name === name);
  return Buffer.from(found?.packed ?? '', 'base64');
};

function* pieces(bytes: Buffer, length: number): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function unpack(bytes: Buffer, length: number = bytes.length): Promise<Buffer> {
  const found: Uint8Array[] = [];
  for await (const piece of unpackZstd(pieces(bytes, Math.max(1, length)))) found.push(piece);
  return Buffer.concat(found);
}

/** What unpacks, or the message of what does not. */
const outcome = (bytes: Buffer): Promise<Buffer | string> =>
  unpack(bytes).catch((error: unknown) => {
    expect(error).to.be.instanceOf(UnpackError);
    return (error as Error).message;
  });

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('zstd', () => {
  afterEach(cleanUp);

  for (const { name, size, sha256: digest } of recorded.cases)
    it(`unpacks what zstd packed, whatever the pieces: ${name}`, async () => {
      const bytes = packedOf(name);
      for (const length of [bytes.length, 4099, ...(bytes.length < 4000 ? [1, 7] : [])]) {
        const content = await unpack(bytes, length);
        expect([content.length, sha256(content)]).to.deep.equal([size, digest]);
      }
    });

  it('says what it does not unpack', async () => {
    for (const [name, message] of [
      ['a window of 2 GiB', 'unpacking it takes a window of 2048 MiB, more than the 128 that zstd'],
      ['a dictionary', 'it was packed with a dictionary, which the file does not hold'],
      ['text after the last frame', 'something follows its last frame that is no other'],
    ] as const)
      expect(await outcome(packedOf(name)), name).to.include(message);
  });

  it('takes as long for the blocks of a frame as they are, whatever window it names', async () => {
    const header = [0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3];
    /** A block of one byte, as it is. */
    const block = (isLast: boolean): readonly number[] => [(1 << 3) | Number(isLast), 0, 0, 0x0a];
    const blocks = (count: number): readonly number[] =>
      Array.from({ length: count }, (_, at) => block(at === count - 1)).flat();
    expect(await unpack(Buffer.from([...header, ...blocks(20_000)]))).to.have.lengthOf(20_000);
    const frames = Array.from({ length: 5000 }, () => [...header, ...blocks(1)]).flat();
    expect(await unpack(Buffer.from(frames))).to.have.lengthOf(5000);
  });

  it('notices that a file was cut, wherever', async () => {
    for (const name of [
      'few rows',
      'a stream without a checksum',
      'frames to be skipped',
      'one byte again and again',
    ]) {
      const bytes = packedOf(name);
      const step = Math.max(1, bytes.length >> 7);
      // pzstd begins with 12 bytes that say how long the next frame is, and are a frame
      const whole = name === 'frames to be skipped' ? 12 : 0;
      for (let length = 1; length < bytes.length; length += step)
        if (length !== whole)
          expect(await outcome(bytes.subarray(0, length)), `${name}, ${length}`).to.equal(
            'it ends in the middle',
          );
    }
  });

  it('never gives other bytes than were packed, whichever bit was flipped', async () => {
    for (const name of [
      'few rows',
      'a stream, of no known size',
      'what cannot be packed',
      'two files one after another',
    ]) {
      const bytes = packedOf(name);
      const content = await unpack(bytes);
      let refused = 0;
      const bits = 8 * bytes.length;
      const step = Math.max(1, Math.floor(bits / 250));
      for (let bit = 0; bit < bits; bit += step) {
        const spoilt = Buffer.from(bytes);
        spoilt[bit >> 3] = (spoilt[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const found = await outcome(spoilt);
        if (typeof found === 'string') refused++;
        else expect(found.equals(content), `${name}, bit ${bit}`).to.equal(true);
      }
      expect(refused).to.be.above(0.9 * Math.floor(bits / step));
    }
  });

  it('rows are those of the file as it was, and a broken one is told by name', async () => {
    const packed = packedOf('few rows');
    const content = await unpack(packed);
    const source = jsonl('rows.jsonl.zst');
    const [plain, unpacked] = await Promise.all(
      [content, packed].map((bytes) => runData({ 'rows.jsonl.zst': bytes }, { source })),
    );
    expect(unpacked?.report.kept).to.equal(60);
    expect(unpacked?.read('report.json')).to.equal(plain?.read('report.json'));
    expect(unpacked?.rows('train')).to.deep.equal(plain?.rows('train'));
    const error = await runData({ 'rows.jsonl.zst': packed.subarray(0, -40) }, { source }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).to.have.nested.property('diagnostic.code', 'FTP0610');
    expect(error).to.have.nested.property(
      'diagnostic.message',
      '`rows.jsonl.zst` cannot be unpacked: it ends in the middle',
    );
  });
});
