import { IGNORED, type TokenRows } from '../../training/batch.js';

/**
 * For each row −Σ log(share of the token among all supervised tokens of all rows), in nats: what a model that
 * knows only how often a token occurs would lose. A label at position 0 is never predicted and doesn't count.
 * The rows are read twice, one at a time.
 */
export function unigramSums(rows: Pick<TokenRows, 'count' | 'read'>): readonly number[] {
  const counts = new Map<number, number>();
  let total = 0;
  for (let row = 0; row < rows.count; row++) {
    for (const token of supervisedTokens(rows.read(row).labels)) {
      counts.set(token, (counts.get(token) ?? 0) + 1);
      total++;
    }
  }
  return Array.from({ length: rows.count }, (_, row) => {
    let sum = 0;
    for (const token of supervisedTokens(rows.read(row).labels))
      sum -= Math.log((counts.get(token) ?? 0) / total);
    return sum;
  });
}

/** The labels that a loss counts. */
export function* supervisedTokens(labels: Int32Array): Generator<number> {
  for (let i = 1; i < labels.length; i++) {
    const label = labels[i] as number;
    if (label !== IGNORED) yield label;
  }
}
