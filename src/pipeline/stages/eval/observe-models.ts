/** Runs the models of an evaluation over its rows, one after another: losses, answers, labels, rewards. */
import { classifyRows } from '../../../compute/evaluation/classify.js';
import {
  foreignTokens,
  labelWithoutRow,
  noNumbers,
  otherLabels,
  rowsTooLong,
} from '../../../compute/evaluation/evaluation-diagnostics.js';
import { NoNumberError } from '../../../compute/evaluation/generation/answer.js';
import { type HeldOut, observe } from '../../../compute/evaluation/observe.js';
import { scoreRows } from '../../../compute/evaluation/scores.js';
import type { Tokenizer } from '../../../compute/models/types.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import type { StageContext } from '../stage.js';
import { type EvaluatedModel, sameWeights } from './evaluated-model.js';
import { type EvaluationTask, type ObservedBoth, openModels, type SeenByModel } from './evaluation-task.js';
import type { ModelOpener } from './opened-models.js';
import { answerRewards, isSameModel, rewardRule, rewardText } from './rewards.js';

/** Those of an evaluation, and those that their rewards are next to; each once. */
export const modelsAsked = (
  models: readonly EvaluatedModel[],
  { preferences }: HeldOut,
  context: StageContext,
): readonly EvaluatedModel[] =>
  models
    .flatMap((model) => {
      const reference = preferences && rewardRule(model, context).reference;
      return reference === undefined ? [model] : [model, reference];
    })
    .filter((model, at, all) => all.findIndex((other) => isSameModel(other, model)) === at);

/**
 * What the model and its baseline give, each model computed once. Throws a `UserError` where a model cannot read the rows, or
 * gives a number that is not finite.
 */
export async function observeBoth(
  work: EvaluationTask,
  tokenizer: Tokenizer,
  subject: EvaluatedModel,
  baseline: EvaluatedModel | undefined,
): Promise<ObservedBoth> {
  const models = await openModels(work.context);
  const seen: { readonly model: EvaluatedModel; readonly observed: SeenByModel }[] = [];
  const observed = async (model: EvaluatedModel): Promise<SeenByModel> => {
    const before = seen.find((one) => isSameModel(one.model, model));
    if (before !== undefined) return before.observed;
    const known = sameWeights(model, subject) ? tokenizer : undefined;
    const found = await observeOne(work, models, model, known);
    seen.push({ model, observed: found });
    return found;
  };
  const rewarded = async (model: EvaluatedModel): Promise<SeenByModel> => {
    const own = await observed(model);
    if (work.heldOut.preferences === undefined) return own;
    const rule = rewardRule(model, work.context);
    const reference = rule.reference && (await observed(rule.reference));
    const rewards = answerRewards(rule, own, reference?.losses);
    if (!rewards.every(Number.isFinite)) throw noNumbers(model.label, work.context.stage.span);
    return { ...own, rewards, reward: rewardText(rule, own.isScored === true) };
  };
  try {
    const own = await rewarded(subject);
    return [own, baseline && (await rewarded(baseline))];
  } finally {
    await models.release();
  }
}

async function observeOne(
  work: EvaluationTask,
  models: ModelOpener,
  subject: EvaluatedModel,
  known: Tokenizer | undefined,
): Promise<SeenByModel> {
  const { stage, signal } = work.context;
  const { heldOut, report } = work;
  const { facts, labels, virtualTokens, ...described } = models.describe(subject);
  if (work.highestId >= facts.vocabSize)
    throw foreignTokens(subject.label, work.highestId, facts.vocabSize, stage.span);
  checkLabels(work, subject, labels);
  checkLengths(heldOut, subject, facts.maxPositions - virtualTokens, stage.span);
  const model = await described.open();
  try {
    const shown = report(subject.label);
    if (heldOut.preferences !== undefined && labels !== undefined) {
      const onProgress = (done: number): void => shown(done, 'losses');
      const { tokens, padId, pairs } = heldOut;
      const scores = await scoreRows(model, tokens, { padId, pairs, onProgress, signal });
      const losses = Array.from(scores, (sum) => ({ sum, tokens: 1 }));
      return { losses, answers: new Map(), isScored: true };
    }
    if (heldOut.labels !== undefined && labels !== undefined) {
      const onProgress = (done: number): void => shown(done, 'answers');
      const found = await classifyRows(model, { heldOut, rowLabels: heldOut.labels, onProgress, signal });
      return { ...found, labels };
    }
    const tokenizer = known ?? (await described.tokenizer());
    return await observe(model, tokenizer, { ...work, onProgress: shown, signal });
  } catch (error) {
    if (error instanceof NoNumberError) throw noNumbers(subject.label, stage.span);
    throw error;
  } finally {
    await model.release();
  }
}

/** Throws a `UserError` if rows have labels that the model does not give; a reward model gives preferences its one score. */
function checkLabels(
  { heldOut, needsEveryLabel, context: { stage } }: EvaluationTask,
  { label }: EvaluatedModel,
  labels: readonly string[] | undefined,
): void {
  const { stage: from, port } = settingsOf(stage, 'eval').dataset;
  if (heldOut.labels === undefined && labels === undefined) return;
  if (heldOut.preferences !== undefined && labels?.length === 1) return;
  if (labels === undefined || heldOut.labels?.every((name) => labels.includes(name)) !== true)
    throw otherLabels({ label, labels }, { name: from, labels: heldOut.labels }, stage.span);
  const held = new Set(Array.from({ length: heldOut.tokens.count }, (_, row) => heldOut.text(row).answer));
  const missing = labels.find((name) => !held.has(name));
  if (needsEveryLabel && missing !== undefined)
    throw labelWithoutRow(`${from}.${port}`, missing, labels.length, stage.span);
}

/** A model reads nothing beyond its last position: rotary heads would rotate on silently. */
function checkLengths(
  { tokens, text }: HeldOut,
  { label }: EvaluatedModel,
  most: number,
  at: StageContext['stage']['span'],
): void {
  const rows = Array.from({ length: tokens.count }, (_, row) => row);
  const longer = rows.filter((row) => tokens.lengthOf(row) > most);
  const [first] = longer;
  if (first === undefined) return;
  const { file, line } = text(first);
  throw rowsTooLong({ label, most, rows: longer.length, first: `${file}:${line}`, at });
}
