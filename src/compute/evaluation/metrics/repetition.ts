/** How much answers repeat: themselves, or one another. */
import { ngrams, ngramTotal } from './ngrams.js';

/** What is between white space; of scripts without spaces, each character. */
const WORD =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]|[^\s\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]+/gu;

const words = (text: string): readonly string[] => text.match(WORD) ?? [];

const PHRASE = 4;

/** Of the runs of four words of an answer, the share that it has said before (`seq-rep-4`; Welleck 2020); 0 of shorter ones. */
export const repeatedShare = (answer: string): number => repeatedRuns(words(answer));

/** The same of tokens, or of anything else that comes one after another. */
export function repeatedRuns(items: readonly (string | number)[]): number {
  const total = ngramTotal(items.length, PHRASE);
  return total === 0 ? 0 : 1 - ngrams(items, PHRASE).size / total;
}

/**
 * Different n-grams of all answers ÷ all of their n-grams (`distinct-n`; Li 2016); 0 if there is none. `draws[i]`: times
 * that answer i counts.
 */
export function distinctShare(answers: readonly string[], n: number): (draws?: Uint32Array) => number {
  const numbers = new Map<string, number>();
  const found = answers.map((answer) =>
    [...ngrams(words(answer), n)].map(([ngram, times]) => {
      const number = numbers.get(ngram) ?? numbers.size;
      numbers.set(ngram, number);
      return { number, times };
    }),
  );
  return (draws) => {
    const seen = new Uint8Array(numbers.size);
    let [distinct, total] = [0, 0];
    for (const [answer, own] of found.entries()) {
      const weight = draws?.[answer] ?? 1;
      if (weight === 0) continue;
      for (const { number, times } of own) {
        total += weight * times;
        distinct += 1 - (seen[number] ?? 0);
        seen[number] = 1;
      }
    }
    return total === 0 ? 0 : distinct / total;
  };
}
