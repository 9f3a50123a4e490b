/** What a model that is being trained answers to rows of its validation, and what that is worth. */
import { type ChosenMetric, chosenMetrics, textFacts } from '../../../compute/evaluation/measured-rows.js';
import { measure } from '../../../compute/evaluation/metrics/measure.js';
import { repeatedRuns, repeatedShare } from '../../../compute/evaluation/metrics/repetition.js';
import { metrics } from '../../../compute/evaluation/metrics/table.js';
import type { MeasuredRow } from '../../../compute/evaluation/metrics/types.js';
import { choose, seededRandom } from '../../../compute/evaluation/seeded-random.js';
import type { Tokenizer } from '../../../compute/models/types.js';
import { IGNORED } from '../../../compute/training/batch.js';
import type { AnswersMeasured } from '../../../compute/training/state.js';
import type { Call } from '../../../language/ir/program.js';
import type { TrainSettings } from '../../../language/schemas/stages/train.js';
import { jsonAnswers } from '../eval/json-answers.js';
import { nothingToAnswer, nothingToValidate, repetitionText } from './train-diagnostics.js';
import type { ValidationRows } from './train-rows.js';
import type { TrainTask } from './train-task.js';

/** Of whichever engine answers: rows by their numbers among those of the validation. */
export interface ValidationAnswers {
  readonly rows: readonly number[];
  /** Tokens of each of them that come before the answer. */
  readonly promptTokens: readonly number[];
  readonly maxTokens: number;
  /** What {@link measure} gives, by name. */
  readonly metrics: readonly string[];
  readonly watchesRepetition: boolean;
  /** `answers`: the tokens of each row's answer, of labelled rows the class alone; `loss`: of all rows of the validation. */
  measure(answers: readonly (readonly number[])[], loss: number): AnswersMeasured;
}

/**
 * So much more than the references repeat themselves is too much: models that have lost their way repeat half of what
 * they say (Welleck 2020).
 */
const TOO_MUCH = 0.3;

/** Whether a stage looks at more than the loss of its validation. */
export const looksAtAnswers = ({ validation, watch }: TrainSettings): boolean =>
  (validation?.metrics ?? []).length > 0 || watch?.repetition !== undefined;

/** Answers as the settings want them, with the defaults of a validation that says nothing of them. */
export const answersWanted = ({
  validation,
}: TrainSettings): {
  readonly metrics: readonly Call[];
  readonly rows: number;
  readonly maxTokens: number;
} => ({
  metrics: validation?.metrics ?? [],
  rows: validation?.rows ?? 64,
  maxTokens: validation?.max_tokens ?? 64,
});

/** `undefined` where nothing but the loss is wanted. Throws a `UserError` where nothing can be answered. */
export async function validationAnswers(task: TrainTask): Promise<ValidationAnswers | undefined> {
  const { settings, validation, context } = task;
  const { stage } = context;
  if (!looksAtAnswers(settings) || validation === undefined || validation.count === 0) return undefined;
  const wanted = answersWanted(settings);
  const rows = rowsToAnswer(validation, wanted.rows, settings.seed);
  if (rows.length === 0) throw nothingToAnswer(stage);
  const chosen = chosenMetrics(
    wanted.metrics,
    [],
    stage.span,
    validation.labels === undefined ? 'texts' : 'labels',
  ).filter(({ name }) => name !== 'loss');
  const tokenizer = await task.model.tokenizer();
  const judged = await judgedRows(validation, rows, { chosen, calls: wanted.metrics, tokenizer });
  const watchesRepetition = settings.watch?.repetition !== undefined;
  return {
    rows,
    promptTokens: rows.map((row) => validation.promptTokens(row)),
    maxTokens: wanted.maxTokens,
    metrics: chosen.map(({ name }) => name),
    watchesRepetition,
    measure(answers, loss) {
      const own = judged(answers);
      const values = chosen.map(({ name, args }) => {
        if (metrics[name].needs === 'loss') return [name, Math.exp(loss)] as const;
        const found = measure(name, own, { args, seed: settings.seed, resamples: 1 });
        if (found === undefined) throw nothingToValidate(stage, name, own.length);
        return [name, found.value] as const;
      });
      const repetition = watchesRepetition ? repetitionOf(own, answers) : undefined;
      if (repetition?.tooMuch === true)
        context.emit({ type: 'note', stage: stage.name, text: `validation: ${repetitionText(repetition)}` });
      return { metrics: Object.fromEntries(values), ...(repetition && { repetition }) };
    },
  };
}

/** Those that have a prompt, `limit` of them; of labelled rows all, since a class costs no more than a loss. */
function rowsToAnswer(validation: ValidationRows, limit: number, seed: number): readonly number[] {
  const all = Array.from({ length: validation.count }, (_, row) => row);
  if (validation.labels !== undefined) return all;
  const asking = all.filter((row) => validation.promptTokens(row) > 0);
  return choose(asking.length, limit, seededRandom(seed))
    .map((at) => asking[at] ?? 0)
    .sort((a, b) => a - b);
}

/** Rows with the answers to them. */
async function judgedRows(
  validation: ValidationRows,
  rows: readonly number[],
  {
    chosen,
    calls,
    tokenizer,
  }: {
    readonly chosen: readonly ChosenMetric[];
    readonly calls: readonly Call[];
    readonly tokenizer: Tokenizer;
  },
): Promise<(answers: readonly (readonly number[])[]) => readonly MeasuredRow[]> {
  const isValidJson = await jsonAnswers(calls);
  const limited = chosen.some(({ args }) => args['up_to'] !== undefined);
  const facts = validation.texts(rows).map((text, at) => ({
    ...{ lossSum: 0, tokens: 0, unigramSum: 0 },
    ...textFacts(text),
    referenceTokens: limited ? tokenizer.encode(text.answer).length : 0,
    truth: validation.labels && validation.read(rows[at] ?? 0).labels.find((label) => label !== IGNORED),
  }));
  return (answers) =>
    facts.map(({ truth, ...row }, at) => {
      const ids = answers[at] ?? [];
      if (truth !== undefined) return { ...row, classes: { truth, predicted: ids[0] ?? -1 } };
      const answer = tokenizer.decode(ids, { skipSpecial: true });
      return { ...row, answer, ...(isValidJson && { isValidJson: isValidJson(answer) }) };
    });
}

/** Of words, or of tokens where they repeat more: a text without spaces has no words. */
function repetitionOf(
  rows: readonly MeasuredRow[],
  answers: readonly (readonly number[])[],
): NonNullable<AnswersMeasured['repetition']> {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const share = mean(
    rows.map(({ answer = '' }, at) => Math.max(repeatedShare(answer), repeatedRuns(answers[at] ?? []))),
  );
  const usual = mean(rows.map(({ reference }) => repeatedShare(reference)));
  return { share, usual, tooMuch: share > usual + TOO_MUCH };
}
