import { f1Of, ngrams, sharedCount } from './ngrams.js';
import { pythonSplit } from './python-text.js';

const PUNCTUATION = /[!-/:-@[-`{-~]/g;
/** Whole words, where a letter, a digit or `_` of any script makes a word. */
const ARTICLES = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;

const words = (text: string): readonly string[] =>
  pythonSplit(text.toLowerCase().replace(PUNCTUATION, '').replace(ARTICLES, ' '));

/** F1 over words, as the script of SQuAD 2.0: case, punctuation and articles aside; two texts without a word are equal. */
export function tokenF1(reference: string, answer: string): number {
  const [expected, found] = [words(reference), words(answer)];
  if (expected.length === 0 || found.length === 0) return expected.length === found.length ? 1 : 0;
  return f1Of(sharedCount(ngrams(expected, 1), ngrams(found, 1)), found.length, expected.length);
}
