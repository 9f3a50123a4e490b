import { IGNORED } from '../../training/rows.js';

/**
 * For each row −Σ log(share of the token among all supervised tokens of all rows), in nats: what a model that
 * knows only how often a token occurs would lose. A label at position 0 is never predicted and doesn't count.
 */
export function unigramSums(labels: readonly Int32Array[]): readonly number[] {
  const counts = new Map<number, number>();
  let total = 0;
  for (const token of supervised(labels)) {
    counts.set(token, (counts.get(token) ?? 0) + 1);
    total++;
  }
  return labels.map((row) => {
    let sum = 0;
    for (const token of supervised([row])) sum -= Math.log((counts.get(token) ?? 0) / total);
    return sum;
  });
}

function* supervised(rows: readonly Int32Array[]): Generator<number> {
  for (const row of rows) {
    for (let i = 1; i < row.length; i++) {
      const label = row[i] as number;
      if (label !== IGNORED) yield label;
    }
  }
}
