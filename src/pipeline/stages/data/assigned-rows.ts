/** Which rows of its sources a data stage will keep, and in which split, before it has run. */
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import type { Pages } from '../../../language/ir/outputs.js';
import type { Stage } from '../../../language/ir/program.js';
import { mixedSources } from '../../../language/schemas/stages/data.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { dropLeaks } from './leaks.js';
import { rowsOf } from './read/read-rows.js';
import { checksOf, seedOf, sharesOf } from './row-checks.js';
import { Collector } from './row-collector.js';
import { RowReader } from './row-reader.js';
import { RowTable } from './row-table.js';
import { ROW_MEMORY, Scratch } from './scratch.js';
import { findOutliers, type Settling, selectForSplits, splitRows } from './settle-rows.js';
import type { SourceFile } from './sources.js';

/** Rows that this is asked of at most: more would keep a plan waiting. */
export const MOST_ASSIGNED = 5000;

/**
 * The rows as the stage leaves them, in the order of their files, but for near copies, which are not looked for. `undefined` where
 * several sources are mixed, which repeats rows, and where the stage would refuse them all.
 */
export async function assignedRows(
  stage: Stage,
  files: readonly SourceFile[],
  host: Host,
): Promise<RowTable | undefined> {
  if (mixedSources(settingsOf(stage, 'data')).length > 0) return undefined;
  try {
    return await settledRows(stage, files, host);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

async function settledRows(stage: Stage, files: readonly SourceFile[], host: Host): Promise<RowTable> {
  const settings = settingsOf(stage, 'data');
  const table = new RowTable(new Scratch(heldPages), ROW_MEMORY);
  // rows are looked up where near copies are compared
  const reader = new RowReader([], files, table, 0);
  const collector = new Collector(table, await checksOf(settings, undefined, table), reader);
  for (const [index, file] of files.entries())
    for await (const batch of rowsOf(file, host))
      for (const line of batch) collector.add(line, line.offset, index, file);
  await collector.settle(false, async () => {});
  const settling: Settling = { stage, emit: () => {} };
  findOutliers(settling, collector, files);
  splitRows(settling, collector, files, sharesOf(stage), ROW_MEMORY);
  selectForSplits(settling, collector, files, seedOf(settings));
  await dropLeaks(table, reader, {
    ...{ lookUp: reader, near: undefined, memory: ROW_MEMORY },
    breathe: async () => {},
  });
  return table;
}

/** What goes to a file where rows are many: of few, why they are dropped. */
function heldPages(): Pages {
  let held = new Uint8Array(0);
  return {
    read: (position, into) => into.set(held.subarray(position, position + into.length)),
    write(position, bytes) {
      const end = position + bytes.length;
      if (end > held.length) {
        const longer = new Uint8Array(2 * end);
        longer.set(held);
        held = longer;
      }
      held.set(bytes, position);
    },
    close: () => {},
  };
}
