import { resolve } from 'node:path';
import type { Call, Program, Stage, Value } from '../../ir/types.js';
import { openModel } from '../../models/load.js';
import type { Host } from '../../source/host.js';
import type { DataSettings } from '../data/schema.js';
import { resolveModelCall } from '../models.js';
import { textLines } from '../text-lines.js';
import { openEncoder } from './encoder.js';
import { LENGTH_BUCKET } from './rows.js';
import type { FormatSettings } from './schema.js';

/** Lengths of the rows of a format stage that has not run yet. */
export interface LengthSurvey {
  /** Rows in the sources. */
  readonly rows: number;
  /** Rows that were tokenized. */
  readonly sampled: number;
  readonly longest: number;
  readonly tokens: number;
  readonly supervised: number;
  /** Sampled rows that would be kept, by length: `histogram[i]` have at most `16 · (i + 1)` tokens. */
  readonly histogram: readonly number[];
}

/** Rows tokenized at most: the sample's longest row then misses the true one only where long rows are very rare. */
export const SURVEY_ROWS = 20_000;

/**
 * Tokenizes the rows of the sources as the format stage would, without deduplication or splitting, and without
 * writing anything: what the planner needs to know of a data set before anything has run. Rows that the data stage
 * will refuse are passed over here; it reports them.
 */
export async function surveyLengths(
  program: Pick<Program, 'stages' | 'folder'>,
  host: Host,
  format: Stage,
  maxRows: number = SURVEY_ROWS,
): Promise<LengthSurvey> {
  const settings = format.settings as unknown as FormatSettings;
  const data = program.stages.find(({ name }) => name === settings.from.stage);
  const model = resolveModelCall(settings.model as Call, { folder: program.folder, host });
  if (data === undefined || model === undefined) throw new Error(`stage ${format.name} is not wired`);
  const encoder = await openEncoder(host, openModel(host, model.folder), settings);
  const sources = sourcesOf(data, program.folder, host);
  const rows = sources.reduce((sum, { path }) => sum + countLines(host, path), 0);
  const stride = Math.max(1, Math.ceil(rows / maxRows));

  const histogram: number[] = [];
  let [at, sampled, longest, tokens, supervised] = [0, 0, 0, 0, 0];
  for (const { path, columns } of sources)
    for (const line of textLines(host, path)) {
      if (at++ % stride !== 0) continue;
      const row = parsed(line, columns);
      const outcome = row === undefined ? undefined : encoder.encode(row);
      if (outcome === undefined || 'reason' in outcome) continue;
      for (const piece of outcome.kept) {
        const { length } = piece.ids;
        const bucket = Math.ceil(length / LENGTH_BUCKET) - 1;
        while (histogram.length <= bucket) histogram.push(0);
        histogram[bucket] = (histogram[bucket] ?? 0) + 1;
        sampled++;
        longest = Math.max(longest, length);
        tokens += length;
        supervised += piece.supervised;
      }
    }
  return { rows, sampled, longest, tokens, supervised, histogram };
}

interface SourceFile {
  readonly path: string;
  /** Name in the source by usual name. */
  readonly columns: Readonly<Record<string, string>>;
}

function sourcesOf(data: Stage, folder: string, host: Host): readonly SourceFile[] {
  const { source } = data.settings as unknown as DataSettings;
  const calls = (Array.isArray(source) ? source : [source]) as readonly Call[];
  return calls.flatMap(({ args }) =>
    host.glob(String(args['files']), folder).map((path) => ({
      path: resolve(folder, path),
      columns: columnNames(args['columns']),
    })),
  );
}

function columnNames(value: Value | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(value ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function countLines(host: Host, path: string): number {
  let count = 0;
  for (const line of textLines(host, path)) if (line.trim() !== '') count++;
  return count;
}

function parsed(
  line: string,
  columns: Readonly<Record<string, string>>,
): Record<string, unknown> | undefined {
  try {
    const row: unknown = JSON.parse(line);
    if (typeof row !== 'object' || row === null || Array.isArray(row)) return undefined;
    const named: Record<string, unknown> = { ...row };
    for (const [usual, own] of Object.entries(columns)) named[usual] = (row as Record<string, unknown>)[own];
    return named;
  } catch {
    return undefined;
  }
}
