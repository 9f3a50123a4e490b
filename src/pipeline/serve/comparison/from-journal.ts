/** Two releases by what the journal of requests says of them. */
import { readRequestJournal } from '../monitoring/request-journal.js';
import { type Comparison, compareReleases } from './compare.js';
import { ReleaseTally } from './release-tally.js';

interface JournalComparison {
  readonly a: ReleaseTally;
  readonly b: ReleaseTally;
  readonly measures: readonly Comparison[];
}

/** `since`: milliseconds since the epoch. */
export function compareFromJournal(
  folder: string,
  { a: first, b: second, since }: { readonly a: number; readonly b: number; readonly since: number },
): JournalComparison {
  const [a, b] = [new ReleaseTally(), new ReleaseTally()];
  for (const line of readRequestJournal(folder, Number.POSITIVE_INFINITY)) {
    if (line.at < since) continue;
    if (line.release === first) a.add(line);
    if (line.release === second) b.add(line);
  }
  return { a, b, measures: compareReleases(a, b) };
}
