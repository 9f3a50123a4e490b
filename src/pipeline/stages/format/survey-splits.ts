/** The survey of sources of which is known what rows each split gets. */
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { assignedRows } from '../data/assigned-rows.js';
import { similarityOf } from '../data/dedupe/near-copies.js';
import { rowsOf } from '../data/read/read-rows.js';
import type { RowTable } from '../data/row-table.js';
import { type SplitName, splitNames } from '../data/split.js';
import { keptOf, type Sources } from './survey-sources.js';
import { type Surveyed, SurveyTally } from './survey-tally.js';

/** Of each split by itself; `undefined` where it is not known which rows it gets, or it gets none. */
export async function surveySplits(sources: Sources): Promise<Surveyed | undefined> {
  const { data, counted, host, encoder, maxRows } = sources;
  const files = counted.map(({ file }) => file);
  const table = await assignedRows(data, files, host);
  if (table === undefined) return undefined;
  const splitOf = (row: number): SplitName => splitNames[table.split.get(row)] ?? 'train';
  const chosen = chosenRows(table, splitOf, maxRows);
  const all = new SurveyTally();
  const splits = { train: new SurveyTally(), valid: new SurveyTally(), test: new SurveyTally() };
  let row = 0;
  for (const file of files)
    for await (const batch of rowsOf(file, host))
      for (const line of batch) {
        const at = row++;
        const isCounted = chosen.counted.has(at);
        if (!isCounted && !chosen.longest.has(at)) continue;
        const kept = keptOf(line, file.columns, encoder, true);
        for (const tally of [splits[splitOf(at)], all]) tally.add('reason' in kept ? [] : kept, isCounted);
      }
  // of rows that are held out, some may leak
  const isWhole = chosen.isWhole && similarityOf(settingsOf(data, 'data')) === undefined;
  const found = all.found(isWhole && chosen.rows.valid + chosen.rows.test === 0);
  if (found.sampled === 0) return undefined;
  const rowsIn = (split: SplitName): number => chosen.rows[split] * splits[split].each;
  const [train, valid, test] = [rowsIn('train'), rowsIn('valid'), rowsIn('test')];
  return {
    ...found,
    expected: { train, valid, test, all: train + valid + test },
    splits: { train: splits.train.found(isWhole), valid: splits.valid.found(), test: splits.test.found() },
    isPaired: all.isPaired,
  };
}

/** Rows of a split that are tokenized for the longest of them, where not all are: tokens follow bytes, about. */
const LONGEST_ROWS = 16;

/** Of the rows that are kept: how many each split has, every so many of them, and those with most bytes. */
function chosenRows(table: RowTable, splitOf: (row: number) => SplitName, maxRows: number) {
  const kept: Record<SplitName, number[]> = { train: [], valid: [], test: [] };
  for (const row of table.kept()) kept[splitOf(row)].push(row);
  const rows = { train: kept.train.length, valid: kept.valid.length, test: kept.test.length };
  const stride = Math.max(1, Math.ceil((rows.train + rows.valid + rows.test) / maxRows));
  const each = splitNames.map((split) => kept[split]);
  const longest = each.flatMap((of) =>
    of.toSorted((a, b) => table.length.get(b) - table.length.get(a)).slice(0, LONGEST_ROWS),
  );
  return {
    rows,
    isWhole: stride === 1,
    counted: new Set(each.flatMap((of) => of.filter((_, at) => at % stride === 0))),
    longest: new Set(longest),
  };
}
