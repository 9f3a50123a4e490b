/** Scores of all answers together, from counts that are summed over the rows: BLEU and chrF, equal to sacrebleu 2.6. */
import { ngrams, ngramTotal, sharedCount } from './ngrams.js';
import { pythonSplit, stripEnd } from './python-text.js';

/** A score of summed counts. */
export interface CorpusScore {
  /** Numbers that a row adds. */
  readonly width: number;
  counts(reference: string, answer: string): readonly number[];
  score(sums: Float64Array): number;
}

const BLEU_ORDERS = [1, 2, 3, 4] as const;

/**
 * BLEU from 0 to 100 (Papineni 2002), as sacrebleu's `corpus_bleu`: tokenizer `13a`, case kept, and a precision that is 0
 * halved from order to order instead (`exp`). Counts: words of the answer, of the reference, then for each of four orders
 * the n-grams that are right and all of them.
 */
export const bleu: CorpusScore = {
  width: 2 + 2 * BLEU_ORDERS.length,
  counts(reference, answer) {
    const [expected, found] = [tokens13a(reference), tokens13a(answer)];
    return [
      found.length,
      expected.length,
      ...BLEU_ORDERS.flatMap((n) => [
        sharedCount(ngrams(found, n), ngrams(expected, n)),
        ngramTotal(found.length, n),
      ]),
    ];
  },
  score(sums) {
    const [found = 0, expected = 0] = sums;
    let [logs, smoothing, anyRight] = [0, 1, false];
    for (const n of BLEU_ORDERS) {
      const [right = 0, all = 0] = sums.subarray(2 * n, 2 * n + 2);
      // no answer is that long: without an n-gram of every order there is no score
      if (all === 0) return 0;
      anyRight ||= right > 0;
      if (right === 0) smoothing *= 2;
      logs += Math.log(right === 0 ? 1 / (smoothing * all) : right / all);
    }
    const brevity = found < expected ? Math.exp(1 - expected / found) : 1;
    return anyRight ? 100 * brevity * Math.exp(logs / BLEU_ORDERS.length) : 0;
  },
};

const ENTITIES = [
  ['&quot;', '"'],
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
] as const;

/** The words of mteval-v13a: punctuation apart, but for commas and full stops within numbers. */
function tokens13a(text: string): readonly string[] {
  const line = ENTITIES.reduce(
    (rest, [entity, character]) => rest.replaceAll(entity, character),
    stripEnd(text).replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' '),
  );
  return pythonSplit(
    ` ${line} `
      .replace(/[{-~[-` -&(-+:-@/]/gu, ' $& ')
      .replace(/([^0-9])([.,])/gu, '$1 $2 ')
      .replace(/([.,])([^0-9])/gu, ' $1 $2')
      .replace(/([0-9])(-)/gu, '$1 $2 '),
  );
}

const CHRF_ORDERS = [1, 2, 3, 4, 5, 6] as const;
/** β²: recall counts so many times as much as precision. */
const RECALL_WEIGHT = 4;

/**
 * chrF2 from 0 to 100 (Popović 2015), as sacrebleu's `corpus_chrf`: characters without white space. Counts for each of six
 * orders: the n-grams of the answer, of the reference, and those that both have.
 */
export const chrf: CorpusScore = {
  width: 3 * CHRF_ORDERS.length,
  counts(reference, answer) {
    const [expected, found] = [reference, answer].map((text) => [...pythonSplit(text).join('')]);
    return CHRF_ORDERS.flatMap((n) => {
      const [all, wanted] = [ngramTotal(found?.length ?? 0, n), ngramTotal(expected?.length ?? 0, n)];
      const shared = sharedCount(ngrams(found ?? [], n, ''), ngrams(expected ?? [], n, ''));
      // an answer to a reference that has no n-gram of this order is not wrong
      return [wanted === 0 ? 0 : all, wanted, shared];
    });
  },
  score(sums) {
    let [precision, recall, orders] = [0, 0, 0];
    for (const n of CHRF_ORDERS) {
      const [found = 0, expected = 0, shared = 0] = sums.subarray(3 * (n - 1), 3 * n);
      if (found === 0 || expected === 0) continue;
      precision += shared / found;
      recall += shared / expected;
      orders++;
    }
    if (orders === 0 || precision + recall === 0) return 0;
    [precision, recall] = [precision / orders, recall / orders];
    return (100 * (1 + RECALL_WEIGHT) * precision * recall) / (RECALL_WEIGHT * precision + recall);
  },
};
