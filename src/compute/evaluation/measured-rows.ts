import type { Call } from '../../language/ir/program.js';
import { metricsOf } from '../../language/schemas/functions/metric.js';
import type { RowKind } from '../../language/schemas/functions/template.js';
import type { Span } from '../../language/source/span.js';
import type { Tokenizer } from '../models/types.js';
import { metricTwice } from './evaluation-diagnostics.js';
import { isMetricName, metrics } from './metrics/table.js';
import type { MeasuredRow, MetricArgs, MetricName } from './metrics/types.js';
import { supervisedTokens, unigramSums } from './metrics/unigrams.js';
import type { HeldOut, Observation, RowText } from './observe.js';
import { choose, seededRandom } from './seeded-random.js';

export interface ChosenMetric {
  readonly name: MetricName;
  readonly args: MetricArgs;
}

/**
 * The metrics of the list, and those that are only required. Loss and perplexity come together where the rows are
 * texts: they are one computation; what is forgotten of questions comes with their accuracy. Throws a `UserError` for a
 * metric that is listed twice.
 */
export function chosenMetrics(
  calls: readonly Call[],
  required: readonly string[],
  span: Span,
  of: RowKind = 'texts',
): readonly ChosenMetric[] {
  const chosen = new Map<MetricName, ChosenMetric>();
  for (const { call, args } of calls) {
    if (!isMetricName(call)) throw new Error(`no metric is named ${call}`);
    if (chosen.has(call)) throw metricTwice(call, span);
    chosen.set(call, { name: call, args });
  }
  const suiting = metricsOf(of);
  const withLoss = [...chosen.keys()].some((name) => metrics[name].needs === 'loss')
    ? of === 'choices'
      ? ['accuracy']
      : ['loss', 'perplexity']
    : [];
  for (const name of [...required, ...withLoss]) {
    if (isMetricName(name) && suiting.includes(name) && !chosen.has(name))
      chosen.set(name, { name, args: {} });
  }
  return [...chosen.values()];
}

/** What holds of a row for any model. */
type RowFacts = Pick<
  MeasuredRow,
  'reference' | 'referenceTokens' | 'unigramSum' | 'tokens' | 'request' | 'asksHarm'
>;

/** What a row's text says of any answer to it. */
export const textFacts = ({
  answer,
  prompt,
  harm,
}: Pick<RowText, 'answer' | 'prompt' | 'harm'>): Pick<MeasuredRow, 'reference' | 'request' | 'asksHarm'> => ({
  reference: answer,
  request: harm?.request ?? prompt,
  ...(harm === undefined ? {} : { asksHarm: harm.asked }),
});

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
    const text = heldOut.text(row);
    return {
      ...textFacts(text),
      referenceTokens: limited ? tokenizer.encode(text.answer).length : 0,
      unigramSum: unigram[row] ?? 0,
      tokens: [...supervisedTokens(heldOut.tokens.read(row).labels)].length,
    };
  });
}

/** The rows with what one model made of them. `isValidJson`: of an answer, where that is measured. */
export const measuredRows = (
  facts: readonly RowFacts[],
  observation: Observation,
  isValidJson?: (answer: string) => boolean,
): readonly MeasuredRow[] =>
  facts.map((fact, row) => {
    const answer = observation.answers.get(row);
    return {
      ...fact,
      lossSum: observation.losses?.[row]?.sum ?? 0,
      tokens: observation.losses?.[row]?.tokens ?? fact.tokens,
      answer,
      answerTokens: observation.answerTokens?.get(row),
      ...(observation.judged === undefined ? {} : { judged: observation.judged.get(row) ?? {} }),
      ...(isValidJson === undefined || answer === undefined ? {} : { isValidJson: isValidJson(answer) }),
      ...(observation.classes === undefined ? {} : { classes: observation.classes[row] }),
    };
  });

/** The rows with what the baseline made of each; without a baseline as they are. */
export const withBaseline = (
  rows: readonly MeasuredRow[],
  baseline: readonly MeasuredRow[] | undefined,
): readonly MeasuredRow[] => (baseline ? rows.map((row, at) => ({ ...row, before: baseline[at] })) : rows);

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
