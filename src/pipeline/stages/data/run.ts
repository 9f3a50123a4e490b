import { setImmediate as turn } from 'node:timers/promises';
import { dataError, hostError, noRows } from '../../../language/diagnostics/catalogue/files.js';
import { sharesDoNotAddUp } from '../../../language/diagnostics/catalogue/values.js';
import { UserError } from '../../../language/diagnostics/types.js';
import { HostError } from '../../../language/host/host.js';
import { type DataSettings, generalMix, mixedSources } from '../../../language/schemas/stages/data.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import type { RunStage, StageContext } from '../stage.js';
import { writeRows } from './data-rows.js';
import { dropLeaks, LEAK_SIMILARITY } from './leaks.js';
import { DEFAULT_STRATEGY } from './mix-plan.js';
import { isDirect, rowsOf } from './read/read-rows.js';
import { type Checks, Collector } from './row-collector.js';
import { inFile, RowReader, RowSpool, type RowStore } from './row-reader.js';
import { schemaCheck } from './row-schema.js';
import { RowTable } from './row-table.js';
import { countsOf, mixedOrder, mixSentence, selectMixed } from './select-mixed.js';
import { selectRows } from './select-rows.js';
import { type SourceFile, sourceFiles, sourceName } from './sources.js';
import { assignSplits, type Shares } from './split.js';

const SEED = 17;
/** Rows between two looks at signals. */
const STRIDE = 1024;
/** Bytes read from a row on: alone where rows are looked up, with what follows where they come in order. */
const LOOK_UP = 1 << 14;
const IN_ORDER = 1 << 20;

/** Reads, checks and splits rows; every row that is not kept is in the report with its place and the reason. */
export const run: RunStage = async (context) => {
  try {
    return await runData(context);
  } catch (error) {
    if (error instanceof HostError) throw new UserError(hostError(error));
    throw error;
  }
};

const runData: RunStage = async (context) => {
  const { stage, host, folder, output } = context;
  const settings = settingsOf(stage, 'data');
  const files = sourceFiles(settings, folder, host);
  const shares = sharesOf(settings, context);
  const seed = settings.split?.seed ?? SEED;
  const checks = await checksOf(settings, seed);

  const table = new RowTable();
  const spools = files.map((file, index) =>
    isDirect(file, host) ? undefined : new RowSpool(output, `spool-${index}.jsonl`, host),
  );
  const stores = files.map(({ path }, index): RowStore => spools[index] ?? inFile(host, path));
  const lookUp = new RowReader(stores, files, table, LOOK_UP);
  const collector = new Collector(table, checks, lookUp);
  await readAll(context, files, spools, collector);
  if (checks.contradictions === 'fail') failOnContradiction(collector, lookUp);

  const { order, sizes } = collector.groups;
  const splits = assignSplits(order.view(), sizes.view(), shares);
  for (const row of table.kept())
    if (files[table.file.get(row)]?.general !== true) table.split.set(row, splits[table.group.get(row)] ?? 0);
  const train = selected(context, table, files, seed);
  const inOrder = new RowReader(stores, files, table, IN_ORDER);
  await dropLeaks(table, inOrder, checks.near === undefined ? LEAK_SIMILARITY : undefined, (done) =>
    breathe(context, 'comparing splits', done, table.count),
  );
  const written = await writeRows(output, inOrder, {
    contradictions: collector.contradictions,
    ...(train === undefined ? {} : { train }),
    breathe: (done) => breathe(context, 'writing rows', done, table.count),
  });
  for (const spool of spools) spool?.remove();
  if (written.splits.train === 0) throw nothingToTrainOn(context, inOrder);

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
      contradictions: collector.contradictions.length,
    },
    dropped: written.report.toJSON(),
  };
};

/** Passes over what a limit and the mix leave out; the order of the training split where sources are interleaved. */
function selected(context: StageContext, table: RowTable, files: readonly SourceFile[], seed: number) {
  const settings = settingsOf(context.stage, 'data');
  const options = { seed, ...(typeof settings.limit === 'number' ? { limit: settings.limit } : {}) };
  const sources = mixedSources(settings);
  const note = (text: string): void => context.emit({ type: 'note', stage: context.stage.name, text });
  if (sources.length === 0) {
    const share = generalMix(settings)?.share ?? 0;
    const { general, wanted } = selectRows(table, files, { ...options, share });
    if (general < wanted) note(`the mix asks for ${wanted} general rows; there are ${general}`);
    return undefined;
  }
  const strategy = settings.stopping_strategy ?? DEFAULT_STRATEGY;
  const parts = selectMixed(table, files, { ...options, sources, strategy });
  const names = [[settings.source].flat(), ...sources.map(({ source }) => [source])].map(sourceName);
  const counts = parts.map((part, index) => countsOf(part, names[index] ?? ''));
  for (const each of counts) note(mixSentence(each));
  return { order: mixedOrder(parts), sources: counts };
}

async function readAll(
  context: StageContext,
  files: readonly SourceFile[],
  spools: readonly (RowSpool | undefined)[],
  collector: Collector,
): Promise<void> {
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
        collector.add(line, spool?.add(line.bytes) ?? line.offset, index, file);
      }
    spool?.close();
    before += file.size;
  }
  await pause(context, 'reading', total, total, 'bytes');
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

async function checksOf(settings: DataSettings, seed: number): Promise<Checks> {
  const near = settings.dedupe.find(({ call }) => call === 'near');
  return {
    ...(settings.schema === undefined ? {} : { schema: await schemaCheck(settings.schema) }),
    exact: settings.dedupe.some(({ call }) => call === 'exact'),
    ...(near === undefined ? {} : { near: Number(near.args['similarity']) }),
    contradictions: settings.contradictions,
    ...(settings.split?.by === undefined ? {} : { by: settings.split.by }),
    seed,
  };
}

function sharesOf({ split }: DataSettings, { stage }: StageContext): Shares {
  if (split === undefined) return { train: 1, valid: 0, test: 0 };
  const { train, valid, test } = split;
  const sum = train + valid + test;
  if (Math.abs(sum - 1) < 1e-6) return { train, valid, test };
  throw new UserError(sharesDoNotAddUp(stage.span, `${Number((sum * 100).toFixed(2))}%`));
}

function failOnContradiction({ contradictions, table }: Collector, reader: RowReader): void {
  const [first] = contradictions;
  if (first === undefined) return;
  const other = reader.placeOf(table.other.get(first));
  const more = contradictions.length === 1 ? '' : `, as do ${contradictions.length - 1} more rows`;
  throw new UserError(
    dataError(
      { ...reader.placeOf(first), column: 0 },
      `the row has the same question as ${other.file}:${other.line} but another answer${more}`,
      'fix one of the rows, or write `contradictions = drop`',
    ),
  );
}

/** No row for training: counts by reason, and the first rows that were dropped with their place. */
function nothingToTrainOn({ stage }: StageContext, reader: RowReader): UserError {
  const { table, files } = reader;
  const counts = new Map<string, number>();
  const shown: string[] = [];
  for (let row = 0; row < table.count; row++) {
    const fate = table.fate(row);
    counts.set(fate, (counts.get(fate) ?? 0) + 1);
    if (fate === 'kept' || fate === 'passed' || shown.length >= 3) continue;
    const { file, line } = reader.placeOf(row);
    shown.push(`${file}:${line}: ${table.details.get(row) ?? fate}`);
  }
  const summary = [...counts].map(([fate, count]) => `${count} ${fate.replaceAll('_', ' ')}`).join(', ');
  const base = noRows(stage.name, files[0]?.name ?? '');
  return new UserError({
    ...base,
    notes: table.count === 0 ? ['the files have no rows'] : [`of ${table.count} rows: ${summary}`, ...shown],
    help: counts.has('missing_column')
      ? 'name the columns in the source: `columns: { instruction: "…", output: "…" }`'
      : 'fix the rows, or use other files in `source`',
  });
}
