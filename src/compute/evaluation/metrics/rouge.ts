/**
 * ROUGE F1 of an answer against its reference, equal to rouge_score 0.1.2 (google-research/rouge, rouge_scorer.py): words are
 * runs of `[a-z0-9]` of the lower-cased text, each stemmed where that is asked for.
 */
import { f1Of, ngrams, ngramTotal, sharedCount } from './ngrams.js';
import { stem } from './porter.js';

export type RougeScore = (reference: string, answer: string, stemmed?: boolean) => number;

/** Of runs of `n` words. */
export const rougeN =
  (n: number): RougeScore =>
  (reference, answer, stemmed) => {
    const [expected, found] = [words(reference, stemmed), words(answer, stemmed)];
    const shared = sharedCount(ngrams(expected, n), ngrams(found, n));
    return f1Of(shared, ngramTotal(found.length, n), ngramTotal(expected.length, n));
  };

/** Of the longest common subsequence. */
export const rougeL: RougeScore = (reference, answer, stemmed) => {
  const [expected, found] = [words(reference, stemmed), words(answer, stemmed)];
  return f1Of(longestCommonSubsequence(expected, found), found.length, expected.length);
};

/**
 * Of summaries (`rougeLsum`): each line of the reference is matched with every line of the answer, and of its words those
 * count that any of them has in common with it; no word more often than the answer has it.
 */
export const rougeLsum: RougeScore = (reference, answer, stemmed) => {
  const lines = (text: string) => text.split('\n').map((line) => words(line, stemmed));
  const [expected, found] = [lines(reference), lines(answer)];
  const left = new Map(ngrams(found.flat(), 1));
  let shared = 0;
  for (const line of expected) {
    const matched = new Set(found.flatMap((other) => commonPlaces(line, other)));
    for (const [place, word] of line.entries()) {
      const times = matched.has(place) ? (left.get(word) ?? 0) : 0;
      if (times === 0) continue;
      left.set(word, times - 1);
      shared++;
    }
  }
  return f1Of(shared, found.flat().length, expected.flat().length);
};

/** Stems of longer words only. */
const SHORT_WORD = 3;

function words(text: string, stemmed = false): readonly string[] {
  const found = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return stemmed ? found.map((word) => (word.length > SHORT_WORD ? stem(word) : word)) : found;
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

/** Places in `a` of one of the longest common subsequences: of several, the one that rouge_score walks back along. */
function commonPlaces(a: readonly string[], b: readonly string[]): readonly number[] {
  const width = b.length + 1;
  const best = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => best[i * width + j] as number;
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++)
      best[i * width + j] =
        a[i - 1] === b[j - 1] ? at(i - 1, j - 1) + 1 : Math.max(at(i - 1, j), at(i, j - 1));
  const places: number[] = [];
  let [i, j] = [a.length, b.length];
  while (i > 0 && j > 0) {
    if (a[i - 1] === b[j - 1]) {
      places.push(i - 1);
      i--;
      j--;
    } else if (at(i, j - 1) > at(i - 1, j)) j--;
    else i--;
  }
  return places;
}
