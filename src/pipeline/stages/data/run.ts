import { setImmediate as turn } from 'node:timers/promises';
import { collect } from '../../../compute/tensor/garbage.js';
import { dataError, hostError } from '../../../language/diagnostics/catalogue/files.js';
import { UserError } from '../../../language/diagnostics/types.js';
import { HostError } from '../../../language/host/host.js';
import type { StageResult } from '../../../language/ir/outputs.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import type { RunStage, StageContext } from '../stage.js';
import { writeRows } from './data-rows.js';
import { similarityOf } from './dedupe/near-copies.js';
import { dropLeaks, LEAK_SIMILARITY } from './leaks.js';
import { licenceReport } from './licences.js';
import { nothingToTrainOn } from './no-rows.js';
import { isDirect, rowsOf } from './read/read-rows.js';
import { checksOf, seedOf, sharesOf } from './row-checks.js';
import { type Collected, Collector } from './row-collector.js';
import { inFile, RowReader, RowSpool, type RowStore } from './row-reader.js';
import { RowTable } from './row-table.js';
import { ROW_MEMORY, type RowMemory, Scratch } from './scratch.js';
import { findOutliers, selectForSplits, splitRows } from './settle-rows.js';
import { type SourceFile, sourceFiles } from './sources.js';

/** Rows between two looks at signals. */
const STRIDE = 1024;
/** Bytes read from a row on: alone where rows are looked up, with what follows where they come in order. */
const LOOK_UP = 1 << 14;
const IN_ORDER = 1 << 20;

/** Reads, checks and splits rows; every row that is not kept is in the report with its place and the reason. */
export const run: RunStage = (context) => runWithin(context, ROW_MEMORY);

/** The same, with another limit of what is held of the rows. */
export async function runWithin(context: StageContext, memory: RowMemory): Promise<StageResult> {
  const scratch = new Scratch(() => context.work.pages('rows'));
  try {
    return await runData(context, memory, scratch);
  } catch (error) {
    if (error instanceof HostError) throw new UserError(hostError(error));
    throw error;
  } finally {
    scratch.close();
  }
}

async function runData(context: StageContext, memory: RowMemory, scratch: Scratch): Promise<StageResult> {
  const { stage, host, folder, output } = context;
  const settings = settingsOf(stage, 'data');
  const files = sourceFiles(settings, folder, host);
  const shares = sharesOf(stage);
  const seed = seedOf(settings);
  const table = new RowTable(scratch, memory);
  const checks = await checksOf(settings, similarityOf(settings), table);
  const spools = files.map((file, index) =>
    isDirect(file, host) ? undefined : new RowSpool(output, `spool-${index}.jsonl`, host),
  );
  const stores = files.map(({ path }, index): RowStore => spools[index] ?? inFile(host, path));
  const lookUp = new RowReader(stores, files, table, LOOK_UP);
  const collected = await readAll(context, files, spools, new Collector(table, checks, lookUp, memory));
  // what rows were told apart by is as much as all else that is held of them
  collect();
  if (checks.contradictions === 'fail') failOnContradiction(collected, lookUp);

  const outliers = findOutliers(context, collected, files);
  splitRows(context, collected, files, shares, memory);
  const selection = selectForSplits(context, collected, files, seed);
  const inOrder = new RowReader(stores, files, table, IN_ORDER);
  await dropLeaks(table, inOrder, {
    lookUp,
    near: checks.near === undefined ? LEAK_SIMILARITY : undefined,
    memory,
    breathe: (done) => breathe(context, 'comparing splits', done, table.count),
  });
  collect();
  const written = await writeRows(output, inOrder, {
    outliers,
    ...(selection.order === undefined ? {} : { train: selection.order }),
    more: { ...licenceReport(settings, folder, host), ...selection.report },
    breathe: (done) => breathe(context, 'writing rows', done, table.count),
  });
  if (written.splits.train === 0) throw nothingToTrainOn(context.stage.name, inOrder);
  for (const spool of spools) spool?.remove();

  const dropped = written.rows - written.kept;
  return {
    outputs: {
      report: 'report.json',
      statistics: 'statistics.json',
      train: 'train.jsonl',
      valid: 'valid.jsonl',
      test: 'test.jsonl',
    },
    metrics: {
      rows: written.kept,
      dropped: written.rows === 0 ? 0 : dropped / written.rows,
      duplicates: written.report.count('duplicate') + written.report.count('near_duplicate'),
      contradictions: collected.contradictions,
      ...(checks.lengths === undefined ? {} : { outliers: outliers.count }),
      ...(selection.largestShare === undefined ? {} : { largest_share: selection.largestShare }),
    },
    dropped: written.report.toJSON(),
  };
}

async function readAll(
  context: StageContext,
  files: readonly SourceFile[],
  spools: readonly (RowSpool | undefined)[],
  collector: Collector,
): Promise<Collected> {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let before = 0;
  let lines = 0;
  for (const [index, file] of files.entries()) {
    const spool = spools[index];
    for await (const batch of rowsOf(file, context.host))
      for (const line of batch) {
        // a row that was unpacked or converted is elsewhere in its file
        const done = before + Math.min(line.offset, file.size);
        if (lines++ % STRIDE === 0) await pause(context, 'reading', done, total, 'bytes');
        if (collector.isFull)
          await collector.settle(true, () => pause(context, 'reading', done, total, 'bytes'));
        collector.add(line, spool?.add(line.bytes) ?? line.offset, index, file);
      }
    spool?.close();
    before += file.size;
  }
  await collector.settle(false, () => pause(context, 'reading', total, total, 'bytes'));
  await pause(context, 'reading', total, total, 'bytes');
  const { table, checks, contradictions, firstContradiction } = collector;
  return { table, checks, contradictions, firstContradiction };
}

async function breathe(context: StageContext, label: string, done: number, total: number): Promise<void> {
  if (done % STRIDE === 0) await pause(context, label, done, total, 'rows');
}

async function pause(
  { stage, emit, signal }: StageContext,
  label: string,
  done: number,
  total: number,
  unit: string,
): Promise<void> {
  emit({ type: 'stage.progress', stage: stage.name, done, total, unit, label });
  await turn();
  signal.throwIfAborted();
}

function failOnContradiction(
  { contradictions, firstContradiction: first, table }: Collected,
  reader: RowReader,
): void {
  if (first === undefined) return;
  const other = reader.placeOf(table.other.get(first));
  const more = contradictions === 1 ? '' : `, as do ${contradictions - 1} more rows`;
  throw new UserError(
    dataError(
      { ...reader.placeOf(first), column: 0 },
      `the row has the same question as ${other.file}:${other.line} but another answer${more}`,
      'fix one of the rows, or write `contradictions = drop`',
    ),
  );
}
