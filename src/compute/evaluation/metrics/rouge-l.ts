/**
 * ROUGE-L F1 of an answer against its reference, equal to `rouge_score`'s `rougeL` with `use_stemmer=False`
 * (google-research/rouge, rouge_scorer.py): words are runs of `[a-z0-9]` of the lower-cased text; 0 if one has none.
 */
export function rougeL(reference: string, answer: string): number {
  const target = words(reference);
  const prediction = words(answer);
  const common = longestCommonSubsequence(target, prediction);
  if (common === 0) return 0;
  const precision = common / prediction.length;
  const recall = common / target.length;
  return (2 * precision * recall) / (precision + recall);
}

function words(text: string): readonly string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

/** Length of the longest common subsequence, in one row of the table: memory grows with the shorter text only. */
function longestCommonSubsequence(a: readonly string[], b: readonly string[]): number {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const best = new Uint32Array(short.length + 1);
  for (const word of long) {
    let diagonal = 0;
    for (let j = 1; j <= short.length; j++) {
      const above = best[j] as number;
      best[j] = word === short[j - 1] ? diagonal + 1 : Math.max(above, best[j - 1] as number);
      diagonal = above;
    }
  }
  return best[short.length] as number;
}
