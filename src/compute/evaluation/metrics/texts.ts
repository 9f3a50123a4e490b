import { IGNORED, type TokenRows } from '../../training/batch.js';

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

const words = (text: string): readonly string[] => text.toLowerCase().match(/[a-z0-9]+/g) ?? [];

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

/** The characters that Python's `str.isspace` holds for white space; JavaScript's `trim` takes U+FEFF and leaves U+001C–1F and U+0085. */
const SPACE =
  '[\\t-\\r\\u001c-\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const START = new RegExp(`^${SPACE}+`);
const SPACE_ONLY = new RegExp(SPACE);

/** Python's `str.strip()`. */
export function pythonStrip(text: string): string {
  const start = text.replace(START, '');
  let end = start.length;
  // From the end by hand: `\s+$` takes quadratic time on long runs of spaces inside the text.
  while (end > 0 && SPACE_ONLY.test(start.charAt(end - 1))) end--;
  return start.slice(0, end);
}

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
