import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { HostError } from '../../../../src/language/host/host.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { estimateRows } from '../../../../src/pipeline/stages/data/read/estimate.js';

const ROWS = 20_000;
/** Rows that get three times as long from the first to the last. */
const growing = Array.from({ length: ROWS }, (_, at) =>
  JSON.stringify({ text: 'word '.repeat(20 + (40 * at) / ROWS) }),
);
const even = Array.from({ length: ROWS }, (_, at) => JSON.stringify({ text: `word ${at} of a row` }));

describe('rows of a file that is not read yet', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-estimate-'));
  const host = nodeHost(folder);
  after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, content: string | Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return { path, name, format: 'jsonl', args: {} } as const;
  };
  const linesOf = (rows: readonly string[]): string => `${rows.join('\n')}\n`;

  it('are those of the start and of places all over it, whether rows get longer or shorter', () => {
    for (const [name, rows] of Object.entries({ grow: growing, shrink: growing.toReversed(), even })) {
      const size = estimateRows(file(`${name}.jsonl`, linesOf(rows)), host);
      expect(size.rows, name).to.be.within(0.97 * ROWS, 1.03 * ROWS);
    }
  });

  it('are counted in a small file', () => {
    for (const count of [1, 80, 9000])
      expect(
        Math.round(estimateRows(file(`${count}.jsonl`, linesOf(even.slice(0, count))), host).rows),
      ).to.equal(count);
  });

  it('are packed as its start is, with gzip', () => {
    const text = linesOf(even);
    const { rows, bytes } = estimateRows(file('even.jsonl.gz', gzipSync(text)), host);
    expect(rows).to.be.within(0.9 * ROWS, 1.1 * ROWS);
    expect(bytes).to.be.within(0.9 * text.length, 1.1 * text.length);
    const broken = Uint8Array.from([0x1f, 0x8b, 1, 2, 3, 4, 5, 6]);
    expect(estimateRows(file('broken.jsonl.gz', broken), host).rows).to.equal(1);
  });

  it('are like those of the start where the rest is not here', () => {
    const source = file('far.jsonl', linesOf(growing));
    const far = {
      ...host,
      readBytes(path: string, start = 0, length?: number) {
        if (start > 0) throw new HostError('not_found', path, 'the file has not been fetched yet');
        return host.readBytes(path, start, length);
      },
    };
    expect(estimateRows(source, far).rows).to.be.above(1.5 * ROWS);
  });
});
