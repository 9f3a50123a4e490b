/** The reward that a reward model gives to answers: to what it was asked and answered, as one text. */

import { foreignScorer, noScorer } from '../../../compute/evaluation/evaluation-diagnostics.js';
import type { HeldOut, Observation } from '../../../compute/evaluation/observe.js';
import { scoreRows } from '../../../compute/evaluation/scores.js';
import { tokenizerText } from '../../../compute/models/any-model.js';
import type { TokenRows } from '../../../compute/training/index.js';
import type { Call, Reference } from '../../../language/ir/program.js';
import { openAnyResolved } from '../open-models.js';
import type { StageContext } from '../stage.js';
import { type EvaluatedModel, resolveEvaluated, sameWeights } from './evaluated-model.js';
import type { ModelOpener } from './opened-models.js';

/** The metric that asks one. */
export const MEAN_REWARD = 'mean_reward';

/** The reward model of a metric that asks one. */
export function scorerOf(metrics: readonly Call[], context: StageContext): EvaluatedModel | undefined {
  const metric = metrics.find(({ call }) => call === MEAN_REWARD);
  return metric && resolveEvaluated(metric.args['model'] as Call | Reference, context);
}

interface ScoredAnswers {
  readonly scorer: EvaluatedModel;
  readonly models: ModelOpener;
  readonly subject: EvaluatedModel;
  readonly heldOut: HeldOut;
  readonly onProgress: (done: number) => void;
}

/** Rewards of each model's answers, by row. Throws a `UserError` for what is no reward model, or reads other tokens. */
export async function scoredAnswers(
  seen: readonly Observation[],
  { scorer, models, subject, heldOut, onProgress }: ScoredAnswers,
  { stage, host, signal }: StageContext,
): Promise<readonly ReadonlyMap<number, number>[]> {
  const { labels, facts, open } = models.describe(scorer);
  if (labels?.length !== 1) throw noScorer(scorer.label, stage.span);
  const [own, other] = [subject, scorer].map(({ base }) => tokenizerText(openAnyResolved(host, base)));
  if (!sameWeights(scorer, subject) && own !== other)
    throw foreignScorer(scorer.label, subject.label, stage.span);
  const model = await open();
  let before = 0;
  try {
    const found: ReadonlyMap<number, number>[] = [];
    for (const { answerIds = new Map() } of seen) {
      const rows = [...answerIds.keys()];
      const texts = rows.map((row) =>
        textOf(heldOut, row, answerIds.get(row)).subarray(0, facts.maxPositions),
      );
      const scores = await scoreRows(model, tokenRows(texts), {
        padId: heldOut.padId,
        onProgress: (done) => onProgress(before + done),
        signal,
      });
      before += rows.length;
      found.push(new Map(rows.map((row, at) => [row, scores[at] ?? Number.NaN])));
    }
    return found;
  } finally {
    await model.release();
  }
}

/** What was asked, the answer, and, where that has ended, the end as the row has it. */
function textOf(
  heldOut: HeldOut,
  row: number,
  { ids, ended }: NonNullable<ReturnType<NonNullable<Observation['answerIds']>['get']>>,
): Int32Array {
  const { ids: all } = heldOut.tokens.read(row);
  const from = all.findLastIndex((id) => heldOut.stopIds.includes(id));
  const prompt = heldOut.promptTokens(row);
  const end = ended && from >= prompt ? all.subarray(from) : [];
  return Int32Array.from([...all.subarray(0, prompt), ...ids, ...end]);
}

const tokenRows = (texts: readonly Int32Array[]): TokenRows => ({
  count: texts.length,
  lengthOf: (row) => texts[row]?.length ?? 0,
  read: (row) => ({ ids: texts[row] ?? new Int32Array(0), labels: texts[row] ?? new Int32Array(0) }),
});
