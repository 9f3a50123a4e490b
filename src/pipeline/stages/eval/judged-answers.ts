/** What others say of the answers: a reward model, and judges. */
import { noNumbers } from '../../../compute/evaluation/evaluation-diagnostics.js';
import { NoNumberError } from '../../../compute/evaluation/generation/answer.js';
import type { Tokenizer } from '../../../compute/models/types.js';
import type { Call } from '../../../language/ir/program.js';
import type { EvaluatedModel } from './evaluated-model.js';
import { type EvaluationTask, type ObservedBoth, openModels, type SeenByModel } from './evaluation-task.js';
import { judgedObservations } from './judge/judge.js';
import { MEAN_REWARD, scoredAnswers } from './scored-answers.js';

/**
 * The observations with the rewards of a reward model, where a metric asks one. Throws a `UserError` for one that is
 * not finite.
 */
export async function scored(
  { context, heldOut, answer }: EvaluationTask,
  { subject, scorer }: { readonly subject: EvaluatedModel; readonly scorer: EvaluatedModel | undefined },
  [own, other]: ObservedBoth,
): Promise<ObservedBoth> {
  if (scorer === undefined) return [own, other];
  const { stage, emit } = context;
  const seen = other === undefined ? [own] : [own, other];
  const total = seen.length * answer.length;
  const label = `rewards of ${scorer.label}`;
  const onProgress = (done: number): void =>
    emit({ type: 'stage.progress', stage: stage.name, done, total, unit: 'rows', label });
  const models = await openModels(context);
  try {
    const task = { scorer, models, subject, heldOut, onProgress };
    const [first, second] = await scoredAnswers(seen, task, context);
    return [withRewards(own, first), other && withRewards(other, second)];
  } catch (error) {
    if (error instanceof NoNumberError) throw noNumbers(scorer.label, stage.span);
    throw error;
  } finally {
    await models.release();
  }
}

const withRewards = (seen: SeenByModel, rewards: ReadonlyMap<number, number> = new Map()): SeenByModel => ({
  ...seen,
  judged: new Map(
    [...rewards].map(([row, reward]) => [row, { ...seen.judged?.get(row), [MEAN_REWARD]: reward }]),
  ),
});

/** The observations with the judgements of judges, where a metric asks one. */
export function judged(
  { context, heldOut, answer }: EvaluationTask,
  metrics: readonly Call[],
  tokenizer: Tokenizer,
  [own, other]: ObservedBoth,
): Promise<ObservedBoth> {
  const rows = answer.map((row) => {
    const { file, line, answer: reference, harm } = heldOut.text(row);
    const asked = heldOut.tokens.read(row).ids.subarray(0, heldOut.promptTokens(row));
    const question = harm?.request ?? tokenizer.decode(asked, { skipSpecial: true });
    return { row, file, line, question, reference, asksHarm: harm?.asked !== false };
  });
  return judgedObservations(context, { metrics, rows, own, other });
}
