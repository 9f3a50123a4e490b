/** The reward that a model gives to an answer, as what it was trained for defines it. */
import type { RowLoss } from '../../../compute/evaluation/losses.js';
import { hasReference, type PreferenceObjective, rewardOf } from '../../../compute/training/index.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { resolveModel } from '../resolve-models.js';
import type { StageContext } from '../stage.js';
import { objectiveOf } from '../train/preferences/objective.js';
import { referenceSetting } from '../train/preferences/reference-model.js';
import { type EvaluatedModel, resolveEvaluated, sameWeights } from './evaluated-model.js';

interface RewardRule {
  /** Left out for a model that was not trained on preferences: its rewards are log-probabilities. */
  readonly objective?: PreferenceObjective;
  /** What answers are compared with, where the objective does. */
  readonly reference?: EvaluatedModel;
}

export function rewardRule(model: EvaluatedModel, context: StageContext): RewardRule {
  const { artefact, storage } = model;
  if (artefact?.stage.kind !== 'train') return {};
  const settings = settingsOf(artefact.stage, 'train');
  const objective = objectiveOf(settings);
  if (objective === undefined || !hasReference(objective))
    return objective === undefined ? {} : { objective };
  const named = referenceSetting(settings);
  if (named !== undefined) return { objective, reference: resolveEvaluated(named, context) };
  const base = resolveModel(settings.base, context);
  return { objective, reference: { label: base.label, base, storage, artefact } };
}

const SCORES: PreferenceObjective = { kind: 'reward' };

/** What a model says of every answer, as rewards; `isScored`: they are scores already. */
export function answerRewards(
  { objective }: RewardRule,
  { losses = [], isScored }: { readonly losses?: readonly RowLoss[]; readonly isScored?: boolean },
  reference: readonly RowLoss[] = [],
): readonly number[] {
  const rule = isScored === true ? SCORES : objective;
  return losses.map(({ sum, tokens }, row) => {
    const answer = { sum: isScored === true ? sum : -sum, tokens, reference: -(reference[row]?.sum ?? 0) };
    return rule === undefined ? answer.sum : rewardOf(rule, answer);
  });
}

/** For people. */
export function rewardText({ objective, reference }: RewardRule, isScored: boolean): string {
  if (isScored) return 'score of the reward model';
  if (objective === undefined) return 'log-probability';
  if (objective.kind === 'reward') throw new Error('a reward model without a score');
  const { beta } = objective;
  return reference === undefined
    ? `${beta} × mean log-probability of a token`
    : `${beta} × (log-probability − that of ${reference.label})`;
}

/** Models that are asked the same: the same weights, held in the same way, under the same adapter. */
export const isSameModel = (one: EvaluatedModel, other: EvaluatedModel): boolean =>
  sameWeights(one, other) && one.storage === other.storage && one.adapter === other.adapter;
