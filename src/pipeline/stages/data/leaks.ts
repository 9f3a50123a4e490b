import { RowIndex } from './hashes.js';
import { NearCopies, type NearCopy } from './near-copies.js';
import { RowFault } from './parse-row.js';
import { contentOf, wholeText } from './row-content.js';
import type { RowReader } from './row-reader.js';
import type { RowTable } from './row-table.js';

/** Overlap from which a held-out row counts as a near copy of a row of training, where `dedupe` says nothing else. */
export const LEAK_SIMILARITY = 0.9;

/**
 * Drops rows of valid and test that training sees too, question and answer: a score on them would measure memory.
 * `near`: least overlap; `undefined` if near copies are gone already, on whatever side. `breathe` is awaited now and then.
 */
export async function dropLeaks(
  table: RowTable,
  reader: RowReader,
  near: number | undefined,
  breathe: (done: number) => Promise<void>,
): Promise<void> {
  // what is looked up are the rows that are held out, of which there are few, and not those of training
  const held: number[] = [];
  for (const row of table.kept()) if (table.split.get(row) !== 0) held.push(row);
  if (held.length === 0) return;
  let done = 0;
  const copies = near === undefined ? undefined : new NearCopies(reader, near);
  for (const row of held) {
    await breathe(done++);
    copies?.add(row, textOf(reader, row));
  }
  const contents = new RowIndex(table.high, table.low);
  const first = new Map<number, NearCopy>();
  for (const row of table.kept()) {
    if (table.split.get(row) !== 0) continue;
    await breathe(done++);
    if (contents.get(table.high.get(row), table.low.get(row)) !== undefined) continue;
    contents.add(row);
    for (const { of, overlap } of copies?.all(textOf(reader, row)) ?? [])
      if (!first.has(of)) first.set(of, { of: row, overlap });
  }
  for (const row of held) {
    const same = contents.get(table.high.get(row), table.low.get(row));
    const copy = same === undefined ? first.get(row) : { of: same, overlap: 1 };
    if (copy !== undefined) table.dropFor(row, 'leak', copy.of, copy.overlap);
  }
}

function textOf(reader: RowReader, row: number): string {
  const content = contentOf(reader.row(row), {});
  return content instanceof RowFault ? '' : wholeText(content);
}
