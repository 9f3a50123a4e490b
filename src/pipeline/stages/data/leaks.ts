import { NearCopies } from './dedupe/near-copies.js';
import { RowBlock } from './dedupe/row-block.js';
import { RowFault } from './parse-row.js';
import { contentOf, wholeText } from './row-content.js';
import type { RowReader } from './row-reader.js';
import { type Hash, RecordFile, RowRecords } from './row-records.js';
import type { RowTable } from './row-table.js';
import type { RowMemory } from './scratch.js';

/** Overlap from which a held-out row counts as a near copy of a row of training, where `dedupe` says nothing else. */
export const LEAK_SIMILARITY = 0.9;

interface LeakSearch {
  /** Looks rows up that are compared. */
  readonly lookUp: RowReader;
  /** Least overlap; `undefined` if near copies are gone already, on whatever side. */
  readonly near: number | undefined;
  readonly memory: RowMemory;
  /** Awaited now and then. */
  readonly breathe: (done: number) => Promise<void>;
}

/**
 * Drops rows of valid and test that training sees too, question and answer: a score on them would measure memory. What is looked
 * up are the rows that are held out, of which there are few, a block at a time, and not those of training.
 */
export async function dropLeaks(table: RowTable, reader: RowReader, search: LeakSearch): Promise<void> {
  const near = search.near === undefined ? undefined : new NearCopies(search.lookUp, search.near);
  const block = new RowBlock(near, search.memory);
  const training = new Training(table, reader, near);
  let done = 0;
  const breathe = () => search.breathe(done++);
  for (const row of table.kept()) {
    if (table.split.get(row) === 0) continue;
    await breathe();
    block.add(row, table.content(row), undefined, () => textOf(reader, row));
    if (block.isFull) await dropFrom(table, block, training.meet(block, breathe));
  }
  if (block.records.count > 0) await dropFrom(table, block, training.meet(block, breathe));
}

async function dropFrom(table: RowTable, block: RowBlock, met: Promise<void>): Promise<void> {
  await met;
  for (let record = 0; record < block.records.count; record++) {
    const same = block.contents.get(...block.records.content(record));
    const copy = same === undefined ? block.copy(record) : { of: same, overlap: 1 };
    if (copy !== undefined) table.dropFor(block.records.row(record), 'leak', copy.of, copy.overlap);
  }
  block.clear();
}

/** The rows of training, whose signatures are made once, and then read from a file. */
class Training {
  private readonly one: RowRecords;
  private signed: RecordFile | undefined;

  constructor(
    private readonly table: RowTable,
    private readonly reader: RowReader,
    private readonly near: NearCopies | undefined,
  ) {
    this.one = new RowRecords(near?.bands.count ?? 0, 1);
  }

  /** Shows every row to the block. */
  async meet(block: RowBlock, breathe: () => Promise<void>): Promise<void> {
    block.open();
    if (this.signed === undefined) await this.meetFirst(block, breathe);
    else
      for (const some of this.signed.some()) {
        await breathe();
        for (let record = 0; record < some.count; record++) block.meet(some, record);
      }
  }

  private async meetFirst(block: RowBlock, breathe: () => Promise<void>): Promise<void> {
    const { table, near, one } = this;
    // another block follows
    const signed = near !== undefined && block.isFull ? new RecordFile(table.scratch, one.keys) : undefined;
    for (const row of table.kept()) {
      if (table.split.get(row) !== 0) continue;
      await breathe();
      const content: Hash = table.content(row);
      if (near === undefined) {
        block.meetContent(content, row);
        continue;
      }
      one.clear();
      one.add(row, content, undefined, near.keysOf(row, textOf(this.reader, row)));
      block.meet(one, 0);
      signed?.add(one.bytes(0));
    }
    this.signed = signed;
  }
}

function textOf(reader: RowReader, row: number): string {
  const content = contentOf(reader.row(row), {});
  return content instanceof RowFault ? '' : wholeText(content);
}
