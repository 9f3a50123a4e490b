/** What a model has lost next to its baseline, on the same rows. */
import type { MeasuredRow } from './types.js';

const isRight = ({ classes }: Pick<MeasuredRow, 'classes'>): number =>
  Number(classes !== undefined && classes.truth === classes.predicted);

/**
 * Of questions with choices, by how much the accuracy is lower; of texts, by which fraction of itself the perplexity is
 * higher: e^(Δ loss per token) − 1. Model and baseline of a row are drawn together, so that the interval is a paired one.
 */
export function lostShare(rows: readonly MeasuredRow[]): (draws?: Uint32Array) => number {
  const areQuestions = rows.some(({ classes }) => classes !== undefined);
  const lost = rows.map((row) => {
    const { before = row } = row;
    return areQuestions ? isRight(before) - isRight(row) : row.lossSum - before.lossSum;
  });
  return (draws) => {
    let [sum, weight] = [0, 0];
    for (const [at, { tokens }] of rows.entries()) {
      const times = draws?.[at] ?? 1;
      sum += times * (lost[at] ?? 0);
      weight += times * (areQuestions ? 1 : tokens);
    }
    const mean = weight === 0 ? 0 : sum / weight;
    return areQuestions ? mean : Math.expm1(mean);
  };
}
