/** What the data sets of a file, and the columns and the splits of each, become together. */
import { sources } from '../../../language/schemas/functions/source.js';
import { type Dataset, type Recipe, remark } from '../recipe.js';
import { splitOf } from '../sources.js';
import { type ImportContext, left, type OpenRecord, revised } from '../translation.js';

/** Adds a data set to those of its format; false if its rows have another, which its keys then say. */
export function addDataset(
  dataset: Dataset,
  where: 'datasets' | 'validation',
  recipe: Recipe,
  context: ImportContext,
  keys: readonly OpenRecord[],
): boolean {
  const [first] = recipe.datasets;
  const differs = first !== undefined && first.template !== dataset.template;
  if (!differs) {
    recipe[where].push(dataset);
    context.keys.push(...keys);
    return true;
  }
  const why = `a stage trains on rows of one format: those before are for \`${first.template}()\`, these for \`${dataset.template}()\``;
  context.keys.push(
    ...keys.map((record) =>
      record.status === 'translated' ? { ...record, status: 'left' as const, why } : record,
    ),
  );
  return false;
}

/** A column of chats with another name than the template reads; false if it cannot be named. */
export function settleMessages({ template, columns }: Dataset): boolean {
  const name = columns.messages;
  if (name === undefined || (template !== 'chat' && template !== 'sharegpt')) return true;
  const usual = template === 'sharegpt' ? 'conversations' : 'messages';
  delete columns.messages;
  if (name === usual) return true;
  const { type } = sources.jsonl.args.columns;
  const isKnown = type.kind === 'record' && Object.hasOwn(type.fields, usual);
  if (isKnown) columns[usual] = name;
  return isKnown;
}

/** What of `train[:20%]` can be said where there are several data sets. */
export function settleSplits(recipe: Recipe, { keys }: ImportContext): void {
  const places = new Map(keys.map(({ at }, index) => [at, index]));
  for (const dataset of recipe.datasets) {
    const { share, rows, part } = splitOf(dataset.split);
    if (share === undefined && rows === undefined && part === undefined) continue;
    if (recipe.datasets.length === 1 && part === undefined) cut(recipe, rows);
    else if (dataset.splitAt !== undefined) {
      const index = places.get(dataset.splitAt) ?? -1;
      const record = keys[index];
      if (record?.status === 'translated') keys[index] = revised(record, left(WHOLE));
    }
  }
}

const WHOLE =
  'the whole split is read: of several data sets, none is cut by itself, and of one, its beginning';

/** The rows of the only data set: so many, or so large a share. */
function cut(recipe: Recipe, rows: number | undefined): void {
  if (rows === undefined)
    remark(
      recipe,
      'split',
      'The first rows there; here as large a share, chosen by the seed. `test` has the other rows, which nothing reads.',
    );
  else {
    recipe.limit = rows;
    remark(recipe, 'limit', `The first ${rows} rows there; here as many, chosen by the seed.`);
  }
}
