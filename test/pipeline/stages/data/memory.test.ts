/** What is held while rows are read: counted in bytes of buffers, which no garbage collector moves. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect } from 'chai';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { RowBlock } from '../../../../src/pipeline/stages/data/dedupe/row-block.js';
import { dropLeaks } from '../../../../src/pipeline/stages/data/leaks.js';
import { type RowFormat, rowsOf } from '../../../../src/pipeline/stages/data/read/read-rows.js';
import { Collector } from '../../../../src/pipeline/stages/data/row-collector.js';
import { RowReader } from '../../../../src/pipeline/stages/data/row-reader.js';
import { RowTable } from '../../../../src/pipeline/stages/data/row-table.js';
import { ROW_MEMORY, Scratch } from '../../../../src/pipeline/stages/data/scratch.js';
import { openPages } from '../../../../src/pipeline/store/output-folder.js';

const text = 'word '.repeat(30);
const line = (i: number): string =>
  `${JSON.stringify({ instruction: `question ${i} ${text}`, output: `${i}` })}\n`;

describe('data stage: memory', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ftpc-data-memory-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** The rows of a file, and the most bytes of rows that were there at once. */
  async function mostHeld(path: string, format: RowFormat) {
    let [rows, most] = [0, 0];
    const file = { path, name: path, format, args: {} };
    for await (const batch of rowsOf(file, nodeHost(folder))) {
      let held = 0;
      for (const { bytes } of batch) {
        rows++;
        held += bytes.length;
      }
      most = Math.max(most, held);
    }
    return { rows, most };
  }

  async function copyRows(path: string, rows: number, how: string): Promise<void> {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run(
      `copy (select 'question ' || i || ' ${text}' as instruction, i::varchar as output from range(${rows}) t(i))
       to '${path}' (${how})`,
    );
    connection.closeSync();
  }

  /** Writes so many rows in a format. */
  const write: Readonly<Record<string, (path: string, rows: number) => Promise<void>>> = {
    async jsonl(path, rows) {
      writeFileSync(path, Array.from({ length: rows }, (_, i) => line(i)).join(''));
    },
    async gzip(path, rows) {
      writeFileSync(path, gzipSync(Array.from({ length: rows }, (_, i) => line(i)).join('')));
    },
    zstd: (path, rows) => copyRows(path, rows, 'format csv, compression zstd'),
    parquet: (path, rows) => copyRows(path, rows, 'format parquet, row_group_size 2048'),
  };

  const FORMATS: Readonly<Record<string, RowFormat>> = { zstd: 'csv', parquet: 'parquet' };

  for (const [name, most] of [
    ['jsonl', 4 << 20],
    ['gzip', 1 << 20],
    ['zstd', 1 << 20],
    ['parquet', 1 << 20],
  ] as const)
    it(`holds a window of a file of rows, however many there are: ${name}`, async () => {
      const sizes = [30_000, 60_000].map(async (count) => {
        const path = join(folder, `${name}-${count}`);
        await write[name]?.(path, count);
        const held = await mostHeld(path, FORMATS[name] ?? 'jsonl');
        expect(held.rows).to.equal(count);
        expect(held.most).to.be.within(1, most);
        return held.most;
      });
      const [few = 0, many = 0] = await Promise.all(sizes);
      expect(many).to.be.at.most(few * 1.05);
    });

  it('holds what near copies are found by of the rows that are held out alone', async () => {
    const table = tableOf();
    const texts = Array.from({ length: 100 }, (_, i) =>
      Array.from({ length: 60 }, (_, at) => `w${i}x${at}`).join(' '),
    );
    for (const i of texts.keys()) {
      table.add(0, i + 1, 0, 0);
      table.setContent(i, [i + 1, 0]);
      table.split.set(i, i % 50 === 49 ? 1 : 0);
    }
    // one of the two is a copy of a row of training but for its first word
    texts[99] = texts[20]?.replace('w20x0', 'other') ?? '';
    const row = (index: number) => ({ instruction: texts[index] ?? '', output: 'yes' });
    const indexed: number[] = [];
    const { add } = RowBlock.prototype;
    RowBlock.prototype.add = function (at, ...more) {
      indexed.push(at);
      add.call(this, at, ...more);
    };
    try {
      const reader = { row } as unknown as RowReader;
      await dropLeaks(table, reader, {
        lookUp: reader,
        near: 0.9,
        memory: ROW_MEMORY,
        breathe: async () => {},
      });
    } finally {
      RowBlock.prototype.add = add;
    }
    expect(indexed).to.deep.equal([49, 99]);
    expect(table.fate(99)).to.equal('leak');
    expect(table.other.get(99)).to.equal(20);
    expect(table.fate(49)).to.equal('kept');
  });

  it('holds as much of many rows as of some, near copies and their places included', async () => {
    const memory = { pages: 4, rows: 1 << 11, keys: 1 << 15, groups: 1 << 10, strataGroups: 1 << 8 };
    const held = [];
    for (const rows of [1 << 13, 1 << 15]) {
      const scratch = new Scratch(() => openPages(join(folder, 'rows.pages')));
      const table = new RowTable(scratch, memory);
      const reader = new RowReader([], [], table, 1);
      const checks = { exact: true, near: 0.85, contradictions: 'warn', seed: 17 } as const;
      const collector = new Collector(table, checks, reader, memory);
      const source = { path: '', name: 'rows', format: 'jsonl', args: {}, size: 0, columns: {} } as const;
      let most = 0;
      for (let i = 0; i < rows; i++) {
        // no two rows have a triple of words in common, so that none is read again
        const bytes = Buffer.from(JSON.stringify({ instruction: `a${i} b${i} c${i}`, output: `${i}` }));
        if (collector.isFull) await collector.settle(true, async () => {});
        collector.add({ number: i + 1, offset: i, bytes, length: bytes.length, tooLong: false }, i, 0, {
          ...source,
          general: false,
          part: 0,
        });
        most = Math.max(most, collector.bytes);
      }
      await collector.settle(false, async () => {});
      expect(table.count).to.equal(rows);
      expect([...table.kept()]).to.have.length(rows);
      expect(table.line.get(rows >> 1)).to.equal((rows >> 1) + 1);
      // with the exception of what is in memory
      expect(scratch.bytes).to.be.above(0.5 * rows * 100);
      held.push(Math.max(most, collector.bytes));
      scratch.close();
    }
    const [few = 0, many = 0] = held;
    expect(many).to.be.at.most(1.05 * few);
  });
});

const tableOf = (): RowTable =>
  new RowTable(
    new Scratch(() => {
      throw new Error('a hundred rows are in memory');
    }),
    ROW_MEMORY,
  );
