import { newTokensOf } from '../../../compute/models/added-tokens.js';
import type { Tokenizer } from '../../../compute/models/types.js';
import type { Host } from '../../../language/host/host.js';
import { readDataRows } from '../data/data-rows.js';
import { type SplitName, splitNames } from '../data/split.js';
import { openResolved } from '../open-models.js';
import type { Artefact } from '../stage.js';
import { IGNORED } from './encode-row.js';
import { type FormatInfo, openSplit, readFormatInfo } from './split-files.js';

/** A row as a data or format stage hands it on; the last three only if it is tokenized. */
export interface PreviewRow {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly input_ids: readonly number[];
  readonly labels: readonly number[];
  readonly supervised: number;
  /** Of a labelled row. */
  readonly label?: string;
}

/** Tokens with whether they are supervised: what a terminal sets off. */
interface PreviewToken {
  readonly text: string;
  readonly supervised: boolean;
}

interface Preview {
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
  const rowsOf = artefact.stage.kind === 'data' ? dataRows : formatRows;
  return { version: 1, stage: artefact.stage.name, rows: await rowsOf(host, artefact, split, count) };
}

function dataRows(host: Host, { path }: Artefact, split: string, count: number): readonly PreviewRow[] {
  const rows: PreviewRow[] = [];
  for (const name of split === 'all' ? splitNames : [split as SplitName])
    for (const { file, line, row } of readDataRows(host, path, name)) {
      if (rows.length === count) return rows;
      rows.push({ file, line, text: JSON.stringify(row), input_ids: [], labels: [], supervised: 0 });
    }
  return rows;
}

async function formatRows(
  host: Host,
  artefact: Artefact,
  name: string,
  count: number,
): Promise<readonly PreviewRow[]> {
  const split = openSplit(host, artefact.path, name);
  const tokenizer = await tokenizerOf(host, artefact);
  return Array.from({ length: Math.min(count, split.rows) }, (_, row) => {
    const { ids, labels } = split.read(row);
    return {
      ...split.placeOf(row),
      text: tokenizer.decode(ids),
      input_ids: [...ids],
      labels: [...labels],
      supervised: split.countsOf(row).supervised,
      ...labelOf(split.info, labels),
    };
  });
}

function labelOf({ labels: names }: FormatInfo, labels: Int32Array): Pick<PreviewRow, 'label'> {
  const name = names?.[labels.find((label) => label !== IGNORED) ?? -1];
  return name === undefined ? {} : { label: name };
}

/** Tokenizers of the artefacts that are looked at: a preview asks for many rows of one. */
const tokenizers = new WeakMap<Artefact, Promise<Tokenizer>>();

function tokenizerOf(host: Host, artefact: Artefact): Promise<Tokenizer> {
  const known = tokenizers.get(artefact);
  if (known !== undefined) return known;
  const { folder, ...info } = readFormatInfo(host, artefact.path).tokenizer;
  const opened = openResolved(host, { folder, ...newTokensOf(info) }).tokenizer();
  tokenizers.set(artefact, opened);
  return opened;
}

/** The text of a previewed row in stretches of tokens that are, or are not, supervised; they add up to the text. */
export async function previewTokens(
  host: Host,
  artefact: Artefact,
  row: PreviewRow,
): Promise<readonly PreviewToken[]> {
  const tokenizer = await tokenizerOf(host, artefact);
  const runs: PreviewToken[] = [];
  let start = 0;
  let shown = '';
  for (let t = 1; t <= row.labels.length; t++) {
    const supervised = row.labels[start] !== IGNORED;
    if (t < row.labels.length && (row.labels[t] !== IGNORED) === supervised) continue;
    // Decoders look at what is before: a stretch alone may lose a space, and a character may span tokens.
    const whole = tokenizer.decode(row.input_ids.slice(0, t));
    const text = whole.startsWith(shown)
      ? whole.slice(shown.length)
      : tokenizer.decode(row.input_ids.slice(start, t));
    runs.push({ text, supervised });
    shown = whole;
    start = t;
  }
  return runs;
}
