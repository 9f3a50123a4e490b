/** The labels of all rows of a format stage, and whether a classifier can be trained on them. */

import type { Host } from '../../../language/host/host.js';
import type { Call, Stage } from '../../../language/ir/program.js';
import { readDataRows } from '../data/data-rows.js';
import { type SplitName, splitNames } from '../data/split.js';
import { labelUntrained, oneLabel, undeclaredLabel } from './format-diagnostics.js';
import { labelledColumns, labelOf, sortedLabels } from './labelled-rows.js';
import { RowProblem } from './row-columns.js';

/** Where a row of a label is. */
interface RowPlace {
  readonly file: string;
  readonly line: number;
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
      const label = quietly(() => labelOf(row, columns));
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
