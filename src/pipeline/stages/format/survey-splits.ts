/** The survey of sources of which is known what rows each split gets. */
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { assignedRows } from '../data/assigned-rows.js';
import { similarityOf } from '../data/dedupe/near-copies.js';
import { rowsOf } from '../data/read/read-rows.js';
import { type SplitName, splitNames } from '../data/split.js';
import { keptOf, type Sources } from './survey-sources.js';
import { type Surveyed, SurveyTally } from './survey-tally.js';

/** Of each split by itself; `undefined` where it is not known which rows it gets, or it gets none. */
export async function surveySplits(sources: Sources): Promise<Surveyed | undefined> {
  const { data, counted, host, encoder } = sources;
  const files = counted.map(({ file }) => file);
  const table = await assignedRows(data, files, host);
  if (table === undefined) return undefined;
  const kept = new Map<number, SplitName>();
  for (const row of table.kept()) kept.set(row, splitNames[table.split.get(row)] ?? 'train');
  const all = new SurveyTally();
  const splits = { train: new SurveyTally(), valid: new SurveyTally(), test: new SurveyTally() };
  let row = 0;
  for (const file of files)
    for await (const batch of rowsOf(file, host))
      for (const line of batch) {
        const split = kept.get(row++);
        if (split === undefined) continue;
        const found = keptOf(line, file.columns, encoder, true);
        for (const tally of [splits[split], all]) tally.add('reason' in found ? [] : found, true);
      }
  // of rows that are held out, some may leak
  const isWhole = similarityOf(settingsOf(data, 'data')) === undefined;
  const isTrain = [...kept.values()].every((split) => split === 'train');
  const found = all.found(isWhole && isTrain);
  if (found.sampled === 0) return undefined;
  const [train, valid, test] = [splits.train.found(isWhole), splits.valid.found(), splits.test.found()];
  const expected = { train: train.sampled, valid: valid.sampled, test: test.sampled, all: found.sampled };
  return { ...found, expected, splits: { train, valid, test }, isPaired: all.isPaired };
}
