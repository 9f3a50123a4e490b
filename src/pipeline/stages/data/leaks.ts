import { RowIndex } from './hashes.js';
import { NearCopies } from './near-copies.js';
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
  const held: number[] = [];
  const contents = new RowIndex(table.high, table.low);
  const copies = near === undefined ? undefined : new NearCopies(reader, near);
  if (![...splitsOf(table)].some((split) => split !== 0)) return;
  let done = 0;
  for (const row of table.kept()) {
    await breathe(done++);
    if (table.split.get(row) !== 0) {
      held.push(row);
      continue;
    }
    if (contents.get(table.high.get(row), table.low.get(row)) !== undefined) continue;
    contents.add(row);
    copies?.add(row, textOf(reader, row));
  }
  for (const row of held) {
    await breathe(done++);
    const same = contents.get(table.high.get(row), table.low.get(row));
    if (same !== undefined) table.dropFor(row, 'leak', same, 1);
    else {
      const copy = copies?.find(textOf(reader, row));
      if (copy !== undefined) table.dropFor(row, 'leak', copy.of, copy.overlap);
    }
  }
}

function* splitsOf(table: RowTable): Iterable<number> {
  for (const row of table.kept()) yield table.split.get(row);
}

function textOf(reader: RowReader, row: number): string {
  const content = contentOf(reader.row(row), {});
  return content instanceof RowFault ? '' : wholeText(content);
}
