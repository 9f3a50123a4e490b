/** How long rows are and how many, before the stages that count them have run. */
import { join } from 'node:path';
import type { Host } from '../../language/host/host.js';
import type { Program, Stage } from '../../language/ir/program.js';
import { LABELLED } from '../../language/schemas/functions/template.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import { type ExpectedSplits, expectedSplits } from '../stages/data/general-rows.js';
import { estimateRows } from '../stages/data/read/estimate.js';
import { sourceFiles } from '../stages/data/sources.js';
import { labelledColumns } from '../stages/format/labelled-rows.js';
import { readFormatInfo } from '../stages/format/open-split.js';
import type { LengthSurvey } from '../stages/format/survey.js';
import { assumedLengths, countedLengths, type Lengths, sampledLengths } from './lengths.js';
import type { SourceSize } from './plan-context.js';
import { stageNamed } from './root-model.js';

export type Survey = (program: Program, host: Host, format: Stage) => Promise<LengthSurvey>;

/** Of every file that a data stage reads. */
export function sourceSize(program: Program, host: Host, data: Stage): SourceSize {
  const { own, general } = sizesOf(program, host, data);
  return {
    bytes: own.bytes + general.bytes,
    rows: own.rows + general.rows,
    parquet: own.parquet + general.parquet,
  };
}

interface SourceSizes {
  readonly own: SourceSize;
  /** Of the rows that `mix` takes a share of. */
  readonly general: SourceSize;
}

function sizesOf(program: Program, host: Host, data: Stage): SourceSizes {
  const files = sourceFiles(settingsOf(data, 'data'), program.folder, host);
  const sizeOf = (general: boolean): SourceSize => {
    const sizes = files.filter((file) => file.general === general).map((file) => estimateRows(file, host));
    const sum = (field: keyof SourceSize): number => sizes.reduce((total, size) => total + size[field], 0);
    return { bytes: sum('bytes'), rows: Math.ceil(sum('rows')), parquet: sum('parquet') };
  };
  return { own: sizeOf(false), general: sizeOf(true) };
}

/** From the output of a format stage that has run. */
export function readLengths(host: Host, entry: string, split: string): Lengths | undefined {
  const path = join(entry, 'format.json');
  if (host.stat(path) === undefined) return undefined;
  return countedLengths(readFormatInfo(host, entry), split);
}

/** The part of the sources that is passed on: less than all with `limit`. */
export function limitedSize({ bytes, rows, parquet }: SourceSize, data: Stage): SourceSize {
  const { limit } = settingsOf(data, 'data');
  if (typeof limit !== 'number' || limit >= rows) return { bytes, rows, parquet };
  const share = limit / rows;
  return { bytes: Math.ceil(bytes * share), rows: limit, parquet: Math.ceil(parquet * share) };
}

/** Rows that a split of a data stage will get at most: repetitions are not known before it has run. */
export function expectedRows(program: Program, host: Host, data: Stage, split: string): number {
  const { own, general } = sizesOf(program, host, data);
  const rows = { own: own.rows, general: general.rows };
  return ofSplit(expectedSplits(settingsOf(data, 'data'), rows), split);
}

/** Repetitions are not known yet, so that the rows are an upper bound; each split may have the longest one. */
export function surveyedLengths(survey: LengthSurvey, split: string): Lengths {
  return sampledLengths(survey, ofSplit(survey.expected, split));
}

const ofSplit = ({ all, ...splits }: ExpectedSplits, split: string): number =>
  new Map(Object.entries(splits)).get(split) ?? all;

export function worstLengths(program: Program, host: Host, format: Stage, split: string): Lengths {
  const data = dataOf(program, format);
  const rows = data === undefined ? 1000 : expectedRows(program, host, data, split);
  const { max_length: most } = settingsOf(format, 'format');
  return assumedLengths(Math.max(1, Math.ceil(rows)), most, assumedLabels(format));
}

/** Those that are declared; how many others the rows have is not known, and a head is small whatever they are. */
function assumedLabels(format: Stage): readonly string[] | undefined {
  const { template } = settingsOf(format, 'format');
  return template.call === LABELLED ? (labelledColumns(template).labels ?? ['0', '1']) : undefined;
}

function dataOf(program: Program, format: Stage): Stage | undefined {
  return stageNamed(program, settingsOf(format, 'format').from.stage);
}
