import type { Host } from '../../../language/host/host.js';
import type { Program, Stage } from '../../../language/ir/program.js';
import { isReference } from '../../../language/ir/values.js';
import { LABELLED, shownBefore } from '../../../language/schemas/functions/template.js';
import { mixedSources } from '../../../language/schemas/stages/data.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import type { Columns } from '../data/column-names.js';
import {
  type ExpectedSplits,
  expectedSplits,
  expectedUses,
  type SourceRows,
} from '../data/expected-splits.js';
import type { Line } from '../data/file-lines.js';
import { parseLine, RowFault } from '../data/parse-row.js';
import { knownRows, rowsOf } from '../data/read/read-rows.js';
import { contentOf, renamed } from '../data/row-content.js';
import { ownNamesOf, type SourceFile, sourceFiles } from '../data/sources.js';
import { openResolved } from '../open-models.js';
import { resolveModelCall } from '../resolve-models.js';
import { DropCounts, type RowEntry } from '../row-report.js';
import type { EncodedRow } from './encode-row.js';
import { noRowFits } from './format-diagnostics.js';
import { labelledColumns, sortedLabels } from './labelled-rows.js';
import { joinedTokens } from './preference-rows.js';
import type { Row } from './rendered-row.js';
import { openEncoder, type RowEncoder } from './row-encoder.js';
import { LengthCounts } from './split-files.js';

/** Lengths of the rows of a format stage that has not run yet. */
export interface LengthSurvey {
  /** Rows in the sources, without the general ones. */
  readonly rows: number;
  /** Rows that the stage will put into each split, after the limit and with the general rows; a fraction at times. */
  readonly expected: ExpectedSplits;
  /** Rows that were tokenized and are counted below. */
  readonly sampled: number;
  /** Of every row that was tokenized, also of general ones that may not be mixed in. */
  readonly longest: number;
  readonly tokens: number;
  readonly supervised: number;
  /** Supervised tokens of a row: most of them, and their standard deviation. */
  readonly answers?: { readonly most: number; readonly deviation: number };
  /** Of labelled rows: the labels that are declared, or that the sample has. */
  readonly labels?: readonly string[];
  /** Of preferences: two answers of a pair are each a row here. */
  readonly isPaired?: boolean;
  /** Sampled rows that would be kept, by length: `histogram[i]` have at most `16 · (i + 1)` tokens. */
  readonly histogram: readonly number[];
  /** Of pairs of answers, where the tokens of their prompt count once. */
  readonly joined?: {
    readonly longest: number;
    readonly tokens: number;
    readonly histogram: readonly number[];
  };
}

/** Rows tokenized at most: the sample's longest row then misses the true one only where long rows are very rare. */
const SURVEY_ROWS = 20_000;

/**
 * Tokenizes the rows of the sources as the format stage would, without deduplication or splitting, and without
 * writing anything: what the planner needs to know of a data set before anything has run. Rows that the data stage
 * will refuse are passed over here; it reports them. Throws what opening model and sources throws.
 */
export async function surveyLengths(
  program: Pick<Program, 'stages' | 'folder'>,
  host: Host,
  format: Stage,
  maxRows: number = SURVEY_ROWS,
): Promise<LengthSurvey> {
  const settings = settingsOf(format, 'format');
  const data = program.stages.find(({ name }) => name === settings.from.stage);
  const model = settings.model && resolveModelCall(settings.model, { folder: program.folder, host });
  if (data === undefined || model === undefined) throw new Error(`stage ${format.name} is not wired`);
  const labels = new Set<string>();
  const dataSettings = settingsOf(data, 'data');
  const opened = await openEncoder(openResolved(host, model), settings, format, {
    own: ownNamesOf(data),
    examples: { rows: await firstRows(program, host, format), ofAnySubject: true },
  });
  const isLabelled = settings.template.call === LABELLED;
  const encoder = isLabelled ? noting(opened, labels) : opened;
  const sources = sourceFiles(dataSettings, program.folder, host);
  const counted = await countRows(host, sources);
  const general = counted.filter(({ file }) => file.general);
  const own = [dataSettings.source, ...mixedSources(dataSettings)].map((_, part) =>
    counted.filter(({ file }) => !file.general && file.part === part),
  );
  const rows: SourceRows = { own: own.map(sumOf), general: sumOf(general) };
  const found = rows.own.reduce((total, count) => total + count, 0);
  const uses = expectedUses(dataSettings, rows);

  const counts = new LengthCounts();
  let longest = 0;
  const pairs = new PairTally();
  const tally = (kept: readonly EncodedRow[], isCounted: boolean): void => {
    pairs.add(kept, isCounted);
    for (const { ids, supervised } of kept) {
      longest = Math.max(longest, ids.length);
      if (isCounted) counts.add(ids.length, supervised);
    }
  };
  const refused = new DropCounts();
  const { train } = dataSettings.split ?? { train: 1 };
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
      tally(row, due >= 1 - 1e-9);
      if (due >= 1 - 1e-9) due--;
    });
    kept.push(each);
  }
  if (found > 0 && kept.slice(0, -1).every((each) => each === 0))
    throw noRowFits(format, data, found, refused);

  return {
    rows: found,
    expected: expectedSplits(dataSettings, rows, { own: kept.slice(0, -1), general: kept.at(-1) ?? 0 }),
    ...countedIn(counts),
    longest,
    ...pairs.found(),
    ...(isLabelled ? { labels: labelledColumns(settings.template).labels ?? sortedLabels(labels) } : {}),
  };
}

/** Pairs of answers, where the tokens of their prompt count once. */
class PairTally {
  private readonly counts = new LengthCounts();
  /** Also of rows that are not counted. */
  private longest = 0;

  add(kept: readonly EncodedRow[], isCounted: boolean): void {
    const tokens = joinedTokens(kept);
    if (tokens === undefined) return;
    this.longest = Math.max(this.longest, tokens);
    if (isCounted) this.counts.add(tokens, 0);
  }

  found(): Pick<LengthSurvey, 'isPaired' | 'joined'> {
    const { tokens, histogram } = this.counts;
    return this.longest === 0 ? {} : { isPaired: true, joined: { longest: this.longest, tokens, histogram } };
  }
}

const countedIn = (counts: LengthCounts) => ({
  sampled: counts.rows,
  tokens: counts.tokens,
  supervised: counts.supervised,
  answers: counts.answers(),
  histogram: counts.histogram,
});

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

/** The encoder, noting what answers the rows have that it keeps: of labelled rows, their labels. */
const noting = (encoder: RowEncoder, answers: Set<string>): RowEncoder => ({
  ...encoder,
  encode(row) {
    const outcome = encoder.encode(row);
    if ('rendered' in outcome) answers.add(outcome.rendered.answer);
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

interface CountedFile {
  readonly file: SourceFile;
  readonly rows: number;
}

async function countRows(host: Host, files: readonly SourceFile[]): Promise<readonly CountedFile[]> {
  const counted: CountedFile[] = [];
  for (const file of files) {
    let count = knownRows(file, host);
    if (count === undefined) {
      count = 0;
      for await (const batch of rowsOf(file, host)) count += batch.length;
    }
    counted.push({ file, rows: count });
  }
  return counted;
}

const sumOf = (counted: readonly CountedFile[]): number => counted.reduce((sum, { rows }) => sum + rows, 0);

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

function keptOf(
  line: Line,
  columns: Columns,
  encoder: RowEncoder,
): readonly EncodedRow[] | Pick<RowEntry, 'reason' | 'detail'> {
  const parsed = parseLine(line);
  if (parsed instanceof RowFault) return parsed;
  const row = renamed(parsed, columns);
  const content = contentOf(row, columns);
  if (content instanceof RowFault) return content;
  const outcome = encoder.encode(row);
  return 'reason' in outcome ? outcome : outcome.kept;
}
