import type { Host } from '../../../language/host/host.js';
import type { Program, Stage } from '../../../language/ir/program.js';
import { isReference } from '../../../language/ir/values.js';
import { LABELLED, shownBefore } from '../../../language/schemas/functions/template.js';
import { mixedSources } from '../../../language/schemas/stages/data.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { MOST_ASSIGNED } from '../data/assigned-rows.js';
import { expectedSplits, expectedUses, type SourceRows } from '../data/expected-splits.js';
import { parseLine, RowFault } from '../data/parse-row.js';
import { rowsOf } from '../data/read/read-rows.js';
import { renamed } from '../data/row-content.js';
import { ownNamesOf, sourceFiles } from '../data/sources.js';
import { openResolved } from '../open-models.js';
import { resolveModelCall } from '../resolve-models.js';
import { DropCounts } from '../row-report.js';
import type { EncodedRow } from './encode-row.js';
import { noRowFits } from './format-diagnostics.js';
import { labelledColumns, sortedLabels } from './labelled-rows.js';
import type { RenderedRow, Row } from './rendered-row.js';
import { openEncoder, type RowEncoder } from './row-encoder.js';
import { type CountedFile, countRows, keptOf, type Sources, sumOf } from './survey-sources.js';
import { surveySplits } from './survey-splits.js';
import { type Surveyed, SurveyTally } from './survey-tally.js';

/** Lengths of the rows of a format stage that has not run yet. */
export interface LengthSurvey extends Surveyed {
  /** Rows in the sources, without the general ones. */
  readonly rows: number;
  /** Of labelled rows: the labels that are declared, or that the sample has. */
  readonly labels?: readonly string[];
}

/** Rows tokenized at most: the sample's longest row then misses the true one only where long rows are very rare. */
const SURVEY_ROWS = 20_000;
/** Where a row's tokens are an estimate of its bytes, which more rows do not make better. */
const ESTIMATED_ROWS = 2000;

/**
 * Tokenizes the rows of the sources as the format stage would, without writing anything: what the planner needs to know of a data
 * set before anything has run. Where the sources have no more rows than `mostAssigned`, those of each split are counted by
 * themselves, without what the data stage will drop, but for near copies; else, and without a tokenizer, all of them together. Rows that the data stage will
 * refuse are passed over here; it reports them. Throws what opening model and sources throws.
 */
export async function surveyLengths(
  program: Pick<Program, 'stages' | 'folder'>,
  host: Host,
  format: Stage,
  maxRows: number = SURVEY_ROWS,
  mostAssigned: number = MOST_ASSIGNED,
): Promise<LengthSurvey> {
  const settings = settingsOf(format, 'format');
  const data = program.stages.find(({ name }) => name === settings.from.stage);
  const model = settings.model && resolveModelCall(settings.model, { folder: program.folder, host });
  if (data === undefined || model === undefined) throw new Error(`stage ${format.name} is not wired`);
  const opened = await openEncoder(openResolved(host, model), settings, format, {
    own: ownNamesOf(data),
    examples: { rows: await firstRows(program, host, format), ofAnySubject: true },
  });
  const isLabelled = settings.template.call === LABELLED;
  const labels = new Set<string>();
  const encoder = isLabelled ? noting(opened, ({ answer }) => void labels.add(answer)) : opened;
  const counted = await countRows(host, sourceFiles(settingsOf(data, 'data'), program.folder, host));
  const { isEstimate = false } = encoder.tokenizer;
  const most = isEstimate ? Math.min(maxRows, ESTIMATED_ROWS) : maxRows;
  const sources: Sources = { data, counted, host, encoder, maxRows: most };
  const isKnown = !isEstimate && sumOf(counted) <= mostAssigned;
  const splits = isKnown ? await surveySplits(sources) : undefined;
  const { isPaired, ...found } = splits ?? (await surveyTogether(sources, format));
  return {
    ...found,
    rows: sumOf(counted.filter(({ file }) => !file.general)),
    ...(isPaired && { isPaired }),
    ...(isLabelled ? { labels: labelledColumns(settings.template).labels ?? sortedLabels(labels) } : {}),
  };
}

/** Of all rows together, repetitions among them: each split may have any of them. */
async function surveyTogether(
  { data, counted, host, encoder, maxRows }: Sources,
  format: Stage,
): Promise<Surveyed> {
  const settings = settingsOf(data, 'data');
  const general = counted.filter(({ file }) => file.general);
  const own = [settings.source, ...mixedSources(settings)].map((_, part) =>
    counted.filter(({ file }) => !file.general && file.part === part),
  );
  const rows: SourceRows = { own: own.map(sumOf), general: sumOf(general) };
  const uses = expectedUses(settings, rows);
  const all = new SurveyTally();
  const refused = new DropCounts();
  const { train } = settings.split ?? { train: 1 };
  const parts = [
    ...own.map((files, part) =>
      partOf(files, (train === 0 ? rows.own[part] : (uses.own[part] ?? 0) / train) ?? 0, maxRows),
    ),
    partOf(general, uses.general, maxRows),
  ];
  // of each part as many rows count as its share of the training rows; the longest may be any of them
  const heaviest = Math.max(...parts.map(({ weight }) => weight));
  const kept: number[] = [];
  for (const { files, stride, weight } of parts) {
    let due = 0;
    const share = heaviest === 0 ? 0 : weight / heaviest;
    const each = await meanKept(encoded(host, files, stride, encoder, refused), (row) => {
      due += share;
      all.add(row, due >= 1 - 1e-9);
      if (due >= 1 - 1e-9) due--;
    });
    kept.push(each);
  }
  const found = rows.own.reduce((total, count) => total + count, 0);
  if (found > 0 && kept.slice(0, -1).every((each) => each === 0))
    throw noRowFits(format, data, found, refused);
  return {
    ...all.found(),
    expected: expectedSplits(settings, rows, { own: kept.slice(0, -1), general: kept.at(-1) ?? 0 }),
    isPaired: all.isPaired,
  };
}

/** `uses`: how many times rows of these files are expected in a split, all together. */
function partOf(files: readonly CountedFile[], uses: number, maxRows: number) {
  const rows = sumOf(files);
  const stride = Math.max(1, Math.ceil(rows / maxRows));
  return { files, stride, weight: rows === 0 ? 0 : (uses / rows) * stride };
}

/**
 * Of questions, rows that could be shown solved before others: the first of the sources, of
 * whatever subject. They are as long as those that the stage will take.
 */
async function firstRows(
  { stages, folder }: Pick<Program, 'stages' | 'folder'>,
  host: Host,
  format: Stage,
): Promise<readonly Row[]> {
  const { template, from } = settingsOf(format, 'format');
  const { examples } = template.args;
  const shown = shownBefore(template);
  const name = isReference(examples) ? examples.stage : from.stage;
  const data = stages.find((stage) => stage.name === name);
  if (shown === 0 || data === undefined) return [];
  const found: Row[] = [];
  for (const file of sourceFiles(settingsOf(data, 'data'), folder, host))
    for await (const batch of rowsOf(file, host, { skip: 0, every: 1 }))
      for (const line of batch) {
        const parsed = parseLine(line);
        if (!(parsed instanceof RowFault)) found.push(renamed(parsed, file.columns));
        if (found.length > shown) return found;
      }
  return found;
}

/** The encoder, noting how rows that it keeps are written. */
const noting = (encoder: RowEncoder, note: (row: RenderedRow) => void): RowEncoder => ({
  ...encoder,
  encode(row) {
    const outcome = encoder.encode(row);
    if ('rendered' in outcome) note(outcome.rendered);
    return outcome;
  },
});

/** Rows that a row becomes on average: less than 1 where some are dropped, more where some are split. */
async function meanKept(
  rows: AsyncIterable<readonly EncodedRow[]>,
  onRow: (kept: readonly EncodedRow[]) => void,
): Promise<number> {
  let [read, kept] = [0, 0];
  for await (const row of rows) {
    read++;
    kept += row.length;
    onRow(row);
  }
  return read === 0 ? 0 : kept / read;
}

/** What is kept of every row whose number is a multiple of `stride`. */
async function* encoded(
  host: Host,
  files: readonly CountedFile[],
  stride: number,
  encoder: RowEncoder,
  refused: DropCounts,
): AsyncIterable<readonly EncodedRow[]> {
  let before = 0;
  for (const { file, rows } of files) {
    const sample = { skip: (stride - (before % stride)) % stride, every: stride };
    for await (const batch of rowsOf(file, host, sample))
      for (const line of batch) {
        const kept = keptOf(line, file.columns, encoder);
        if ('reason' in kept) refused.add({ file: file.name, line: line.number, ...kept });
        yield 'reason' in kept ? [] : kept;
      }
    before += rows;
  }
}
