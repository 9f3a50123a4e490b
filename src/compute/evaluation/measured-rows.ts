import type { Tokenizer } from '../models/types.js';
import type { ChosenMetric } from './chosen-metrics.js';
import type { HeldOut } from './held-out.js';
import { metrics } from './metrics/table.js';
import type { MeasuredRow } from './metrics/types.js';
import { supervisedTokens, unigramSums } from './metrics/unigram.js';
import type { Observation } from './observe.js';
import { choose, seededRandom } from './seeded-random.js';

/** What holds of a row for any model. */
type RowFacts = Pick<MeasuredRow, 'reference' | 'referenceTokens' | 'unigramSum' | 'tokens'>;

/** Rows are read one at a time; what no chosen metric asks for is not computed and is 0. */
export function rowFacts(
  heldOut: HeldOut,
  tokenizer: Tokenizer,
  chosen: readonly ChosenMetric[],
): readonly RowFacts[] {
  const unigram = chosen.some(({ name }) => metrics[name].needs === 'labels')
    ? unigramSums(heldOut.tokens)
    : [];
  const limited = chosen.some(({ args }) => args['up_to'] !== undefined);
  return Array.from({ length: heldOut.tokens.count }, (_, row) => {
    const { answer } = heldOut.text(row);
    return {
      reference: answer,
      referenceTokens: limited ? tokenizer.encode(answer).length : 0,
      unigramSum: unigram[row] ?? 0,
      tokens: [...supervisedTokens(heldOut.tokens.read(row).labels)].length,
    };
  });
}

/** The rows with what one model made of them. */
export function measuredRows(facts: readonly RowFacts[], observation: Observation): readonly MeasuredRow[] {
  return facts.map((fact, row) => ({
    ...fact,
    lossSum: observation.losses?.[row]?.sum ?? 0,
    tokens: observation.losses?.[row]?.tokens ?? fact.tokens,
    answer: observation.answers.get(row),
    ...(observation.classes === undefined ? {} : { classes: observation.classes[row] }),
  }));
}

interface RowChoice {
  /** Rows to answer, in order. */
  readonly answer: readonly number[];
  /** Those of them that the report shows. */
  readonly samples: readonly number[];
}

/**
 * The rows that are answered: `limit` of those with a prompt, drawn by the seed, of which only those count that a
 * metric reads or that are shown.
 */
export function chooseRows(
  heldOut: HeldOut,
  facts: readonly RowFacts[],
  chosen: readonly ChosenMetric[],
  options: { readonly limit?: number; readonly samples: number; readonly seed: number },
): RowChoice {
  const withPrompt = facts.flatMap((_, row) => (heldOut.promptTokens(row) > 0 ? [row] : []));
  const drawn = choose(withPrompt.length, options.limit ?? withPrompt.length, seededRandom(options.seed)).map(
    (i) => withPrompt[i] as number,
  );
  const samples = new Set(drawn.slice(0, options.samples));
  const wanted = (row: number): boolean =>
    chosen.some(
      ({ name, args }) =>
        metrics[name].needs === 'answer' && metrics[name].counts(facts[row] as RowFacts, args),
    );
  return {
    answer: drawn.filter((row) => samples.has(row) || wanted(row)).sort(ascending),
    samples: [...samples].sort(ascending),
  };
}

const ascending = (a: number, b: number): number => a - b;
