import { openModel } from '../../models/load.js';
import type { Host } from '../../source/host.js';
import { readDataRows } from '../data/rows.js';
import { type SplitName, splitNames } from '../data/split.js';
import type { Artefact } from '../types.js';
import { openSplit } from './read.js';

/** A row as a data or format stage hands it on; the last three only where it is tokenized. */
export interface PreviewRow {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly input_ids: readonly number[];
  readonly labels: readonly number[];
  readonly supervised: number;
}

/** Tokens with whether they are supervised: what a terminal sets off. */
export interface PreviewToken {
  readonly text: string;
  readonly supervised: boolean;
}

export interface Preview {
  readonly version: 1;
  readonly stage: string;
  readonly rows: readonly PreviewRow[];
}

/** The first rows of a split of a finished data or format stage. */
export async function preview(
  host: Host,
  artefact: Artefact,
  split: string,
  count: number,
): Promise<Preview> {
  const rows =
    artefact.stage.kind === 'data'
      ? dataRows(host, artefact.path, split, count)
      : await formatRows(host, artefact.path, split, count);
  return { version: 1, stage: artefact.stage.name, rows };
}

function dataRows(host: Host, folder: string, split: string, count: number): readonly PreviewRow[] {
  const rows: PreviewRow[] = [];
  for (const name of split === 'all' ? splitNames : [split as SplitName])
    for (const { file, line, row } of readDataRows(host, folder, name)) {
      if (rows.length === count) return rows;
      rows.push({ file, line, text: JSON.stringify(row), input_ids: [], labels: [], supervised: 0 });
    }
  return rows;
}

async function formatRows(
  host: Host,
  folder: string,
  name: string,
  count: number,
): Promise<readonly PreviewRow[]> {
  const split = openSplit(host, folder, name);
  const tokenizer = await openModel(host, split.info.tokenizer.folder).tokenizer();
  return Array.from({ length: Math.min(count, split.rows) }, (_, row) => {
    const { ids, labels } = split.read(row);
    return {
      ...split.placeOf(row),
      text: tokenizer.decode(ids),
      input_ids: [...ids],
      labels: [...labels],
      supervised: split.countsOf(row).supervised,
    };
  });
}

/** The text of a previewed row token by token. */
export async function previewTokens(
  host: Host,
  artefact: Artefact,
  row: PreviewRow,
): Promise<readonly PreviewToken[]> {
  const { info } = openSplit(host, artefact.path, 'all');
  const tokenizer = await openModel(host, info.tokenizer.folder).tokenizer();
  const runs: PreviewToken[] = [];
  let start = 0;
  // A character may be spread over several tokens, so runs of tokens are decoded, not single ones.
  for (let t = 1; t <= row.labels.length; t++) {
    const supervised = row.labels[start] !== -100;
    if (t < row.labels.length && (row.labels[t] !== -100) === supervised) continue;
    runs.push({ text: tokenizer.decode(row.input_ids.slice(start, t)), supervised });
    start = t;
  }
  return runs;
}
