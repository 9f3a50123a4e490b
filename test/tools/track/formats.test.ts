import { crc32 } from 'node:zlib';
import { expect } from 'chai';
import { crc32c, masked } from '../../../src/tools/track/crc32c.js';
import { double, float, integer, message, text } from '../../../src/tools/track/protobuf.js';
import { eventFile, tfRecord } from '../../../src/tools/track/tensorboard.js';
import type { TrackedRun } from '../../../src/tools/track/tracked-run.js';
import { logOf } from '../../../src/tools/track/wandb.js';

const run: TrackedRun = {
  key: 'a'.repeat(64),
  name: 'legal-adapter-aaaaaaaa',
  pipeline: 'legal.ftp',
  stage: 'adapter',
  started: 1000,
  status: 'done',
  points: [{ at: 2000, step: 1, values: { 'train/loss': 0.5 } }],
  figures: [],
  params: {},
  notes: [],
};

describe('files of trackers', () => {
  it('have the checksums of RFC 3720 and of TFRecord', () => {
    expect(crc32c(Buffer.from('123456789'))).to.equal(0xe3069283);
    expect(crc32c(new Uint8Array(32))).to.equal(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).to.equal(0x62a8ab43);
    const crc = 0xe3069283;
    const rotated = ((crc >>> 15) | (crc << 17)) >>> 0;
    expect(masked(Buffer.from('123456789'))).to.equal((rotated + 0xa282ead8) % 2 ** 32);
  });

  it('have messages as protocol buffers encode them', () => {
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
    // the examples of the specification
    expect(hex(integer(1, 150))).to.equal('089601');
    expect(hex(text(2, 'testing'))).to.equal('120774657374696e67');
    expect(hex(message(3, integer(1, 150)))).to.equal('1a03089601');
    expect(hex(double(1, 1))).to.equal('09000000000000f03f');
    expect(hex(float(2, 1))).to.equal('150000803f');
    expect(hex(integer(1, 2 ** 40))).to.equal('08808080808020');
  });

  it('have records with their length and two checksums', () => {
    const data = Buffer.from('event');
    const record = Buffer.from(tfRecord(data));
    expect(Number(record.readBigUInt64LE(0))).to.equal(data.length);
    expect(record.readUInt32LE(8)).to.equal(masked(record.subarray(0, 8)));
    expect(record.subarray(12, 17).toString()).to.equal('event');
    expect(record.readUInt32LE(17)).to.equal(masked(data));
  });

  it('only grow while a training goes on', () => {
    const [first] = run.points;
    const before = eventFile(run);
    const later = first === undefined ? [] : [first, { ...first, at: 3000, step: 2 }];
    const after = eventFile({ ...run, points: later });
    expect(after.length).to.be.above(before.length);
    expect(after.subarray(0, before.length).equals(before)).to.equal(true);
  });

  it('split records of wandb at the ends of blocks', () => {
    const records = [Buffer.alloc(32_745, 1), Buffer.alloc(100_000, 2), Buffer.from('end')];
    const file = Buffer.from(logOf(records));
    expect(file.subarray(0, 7).toString('hex')).to.equal('3a572642e1be00');
    const found: Buffer[] = [];
    let parts: Buffer[] = [];
    for (let at = 7; at < file.length; ) {
      const left = 32_768 - (at % 32_768);
      if (left < 7) {
        at += left;
        continue;
      }
      const [length, type] = [file.readUInt16LE(at + 4), file.readUInt8(at + 6)];
      const data = file.subarray(at + 7, at + 7 + length);
      expect(file.readUInt32LE(at)).to.equal(crc32(data, crc32(Uint8Array.of(type))));
      expect(7 + length, 'no part crosses a block').to.be.at.most(left);
      parts.push(data);
      if (type === 1 || type === 4) found.push(Buffer.concat(parts.splice(0)));
      at += 7 + length;
    }
    parts = [];
    expect(found.map((one) => one.length)).to.deep.equal(records.map((one) => one.length));
    expect(found.every((one, index) => one.equals(records[index] ?? Buffer.alloc(0)))).to.equal(true);
  });
});
