/** Rows of texts and labels: what a classifier is trained on. */
import { classPosition } from '../../../compute/models/labels.js';
import type { Tokenizer } from '../../../compute/models/types.js';
import type { Host } from '../../../language/host/host.js';
import type { Call, Stage } from '../../../language/ir/program.js';
import type { OwnName } from '../data/column-names.js';
import { readDataRows } from '../data/data-rows.js';
import { type SplitName, splitNames } from '../data/split.js';
import type { RowPlace } from '../row-report.js';
import { type EncodedRow, IGNORED } from './encode-row.js';
import { labelUntrained, oneLabel, undeclaredLabel } from './format-diagnostics.js';
import { type Row, RowProblem } from './rendered-row.js';

interface LabelledColumns {
  readonly text: string;
  readonly label: string;
  /** Declared labels; default: those that the data has. */
  readonly labels?: readonly string[];
}

/** White space at the ends of a label is not part of it, and one that is declared twice, of which the checker warns, is one. */
export const labelledColumns = ({ args: { text, label, labels } }: Call): LabelledColumns => ({
  text: String(text),
  label: String(label),
  ...(Array.isArray(labels) ? { labels: [...new Set(labels.map((name) => String(name).trim()))] } : {}),
});

/** The label of a row as text: numbers and truth values are written out. Throws a {@link RowProblem}. */
export function labelOf(row: Row, { label: usual }: LabelledColumns, own: OwnName): string {
  const value = row[usual];
  const column = own(usual);
  if (value === undefined || value === null)
    throw new RowProblem('missing_column', `no label in \`${column}\``);
  const isLabel = typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value);
  if (!isLabel)
    throw new RowProblem('wrong_type', `the label in \`${column}\` is not a string, whole number or boolean`);
  const label = String(value).trim();
  if (label === '') throw new RowProblem('empty', `the label in \`${column}\` is empty`);
  return label;
}

/** Whole numbers by their size, everything else by its characters: the order in which labels are numbered. */
export function sortedLabels(labels: Iterable<string>): readonly string[] {
  const all = [...new Set(labels)];
  const numbers = all.every((label) => /^-?\d+$/.test(label));
  const bySize = (a: string, b: string): number => (numbers ? Number(a) - Number(b) : 0);
  // `7` and `07` are two labels of one size
  return all.sort((a, b) => bySize(a, b) || (a < b ? -1 : a > b ? 1 : 0));
}

/** Labels that people take for one: they differ in case, in white space within, or in how their letters are encoded. */
export function lookAlikes(labels: readonly string[]): readonly (readonly [string, string])[] {
  const first = new Map<string, string>();
  return labels.flatMap((label): readonly (readonly [string, string])[] => {
    const look = label.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ');
    const other = first.get(look);
    if (other === undefined) first.set(look, label);
    return other === undefined ? [] : [[other, label]];
  });
}

/** Tokens of a text with its class at the last of them; no more than `limit` tokens. All of them are what is asked. */
export function labelledRow(
  ids: Int32Array,
  {
    padId,
    label,
    limit = ids.length,
  }: { readonly padId: number; readonly label: number; readonly limit?: number },
): EncodedRow {
  const kept = ids.slice(0, limit);
  const labels = new Int32Array(kept.length).fill(IGNORED);
  labels[classPosition(kept, padId)] = label;
  return { ids: kept, labels, supervised: 1, promptTokens: kept.length };
}

/** The tokens of a text, with the one that the tokenizer puts before a text. */
export function labelledText(whole: string, tokenizer: Tokenizer): Int32Array {
  const begin = tokenizer.beginId === undefined ? [] : [tokenizer.beginId];
  return Int32Array.from([...begin, ...tokenizer.encode(whole)]);
}

/**
 * The labels by their numbers: declared ones, or those of the rows. Throws a `UserError` for a row whose label is not
 * among the declared ones.
 */
export function labelsOfRows(
  host: Host,
  folder: string,
  template: Call,
  stage: Pick<Stage, 'name' | 'span'>,
): readonly string[] {
  const columns = labelledColumns(template);
  const declared = columns.labels && new Set(columns.labels);
  const found = new Map<string, RowPlace>();
  for (const split of splitNames)
    for (const { file, line, row } of readDataRows(host, folder, split)) {
      const label = quietly(() => labelOf(row, columns, (usual) => usual));
      if (label === undefined) continue;
      if (declared?.has(label) === false) throw undeclaredLabel(stage, label, [...declared], { file, line });
      if (!found.has(label)) found.set(label, { file, line });
    }
  const labels = columns.labels ?? sortedLabels(found.keys());
  const [only] = found;
  if (labels.length < 2 && only !== undefined) throw oneLabel(stage, only[0], only[1]);
  return labels;
}

/** A row without a label is left out, and named, when it is written out. */
function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RowProblem) return undefined;
    throw error;
  }
}

/** Counts the rows of each label in each split. */
export class LabelCounts {
  private readonly counts = new Map<SplitName, Map<string, number>>();
  private readonly first = new Map<string, RowPlace>();

  add(split: SplitName, label: string, place: RowPlace): void {
    const counts = this.counts.get(split) ?? new Map<string, number>();
    this.counts.set(split, counts);
    counts.set(label, (counts.get(label) ?? 0) + 1);
    if (!this.first.has(label)) this.first.set(label, place);
  }

  /** Throws a `UserError` for a label that no row of the training split has: its class can never be learned. */
  check(labels: readonly string[], stage: Pick<Stage, 'name' | 'span'>): void {
    const trained = this.counts.get('train');
    // rows that are only evaluated on
    if (trained === undefined) return;
    const missing = labels.find((label) => !trained.has(label));
    if (missing !== undefined) throw labelUntrained(stage, missing, this.first.get(missing));
  }
}
