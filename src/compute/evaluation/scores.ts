/** What a reward model gives to texts. */
import { scoredLabels, type TokenRows } from '../training/index.js';
import { NoNumberError } from './generation/answer.js';
import type { LanguageModel, RowsOptions } from './language-model.js';

/**
 * The score of every text, read at its last token, whatever that is. Throws a {@link NoNumberError} for one that is not
 * a number.
 */
export async function scoreRows(
  model: Pick<LanguageModel, 'classify'>,
  rows: TokenRows,
  options: RowsOptions,
): Promise<Float64Array> {
  const scores = new Float64Array(rows.count);
  const scored: TokenRows = {
    ...{ count: rows.count, lengthOf: (row) => rows.lengthOf(row) },
    read(row) {
      const { ids } = rows.read(row);
      return { ids, labels: scoredLabels(ids) };
    },
  };
  await model.classify(scored, { ...options, padId: idThatEndsNone(rows, options.padId) }, (row, logits) => {
    scores[row] = logits[0] ?? Number.NaN;
  });
  if (!scores.every(Number.isFinite)) throw new NoNumberError();
  return scores;
}

/** Transformers reads a text at the last token that is not the padding: that must be the last one. */
function idThatEndsNone(rows: TokenRows, padId: number): number {
  const ends = new Set(Array.from({ length: rows.count }, (_, row) => rows.read(row).ids.at(-1)));
  let id = padId;
  if (ends.has(id)) for (id = 0; ends.has(id); id++);
  return id;
}
