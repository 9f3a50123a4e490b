/** What is learned from preferences: keys of an objective, and what the rest of a file becomes beside one. */
import { a } from '../foreign.js';
import { type Recipe, remark } from '../recipe.js';
import {
  automatic,
  becomes,
  type ImportContext,
  left,
  revise,
  type Translation,
  type Verdict,
} from '../translation.js';
import * as common from './common.js';
import { none } from './for-recipes.js';

export const beta = common.field('`beta` of the objective', a.positive, 'beta');
export const gamma = common.field('`gamma` of `simpo`', a.amount, 'gamma');
export const sftWeight = common.field('`sft` of `dpo`', a.amount, 'sftWeight');
export const desirable = common.field('`desirable` of `kto`', a.amount, 'desirable');
export const undesirable = common.field('`undesirable` of `kto`', a.amount, 'undesirable');

/** The name of a model, as the base has one. */
export const reference: Translation<Recipe> = becomes(
  '`reference` of `dpo` and `kto`',
  a.text,
  (recipe, name, _, at) => {
    recipe.reference = { name, at };
    return undefined;
  },
  'reference',
);

/** Conservative DPO, whose shares are below a half. */
export const smoothing: Translation<Recipe> = becomes(
  '`label_smoothing` of `dpo`, in %',
  a.share,
  (recipe, value) => {
    if (value >= 0.5) return left('less than half of the pairs can be taken to be in the wrong order');
    recipe.pairSmoothing = value;
    return undefined;
  },
  'pairSmoothing',
);

const PAIR_LOSSES = ['sigmoid', 'hinge', 'ipo'] as const;

/** TRL's losses of pairs: one of three, and perhaps the cross entropy of the chosen answers. */
export const pairLosses: Translation<Recipe> = becomes(
  '`loss` of `dpo`; `sft` beside it becomes `sft: …`',
  a.names,
  (recipe, names) => setPairLosses(recipe, names),
  'pairLoss',
);

export function setPairLosses(recipe: Recipe, names: readonly string[]): Verdict {
  const main = PAIR_LOSSES.find((name) => names.includes(name));
  if (names.some((name) => name !== main && name !== 'sft'))
    return left('of the losses of pairs, there are `sigmoid`, `ipo` and `hinge`');
  recipe.pairLoss = main;
  recipe.pairLosses = names;
  return undefined;
}

/** In the order of {@link pairLosses}. */
export const lossWeights: Translation<Recipe> = becomes(
  '`sft` of `dpo`: the weight of that loss by that of the other',
  a.amounts,
  (recipe, weights) => {
    recipe.lossWeights = weights;
    return undefined;
  },
  'sftWeight',
);

/** What CPO adds to SimPO. */
export const cpoAlpha = none('`simpo` does not learn the chosen answers besides', 0);

const NO_DROPOUT = 'preferences are learned without dropout there, too';

interface Defaults {
  /** The key for dropout of the adapter, which has no effect beside an objective. */
  readonly dropout?: string;
  /** The key without which CPO adds the cross entropy of the chosen answers. */
  readonly cpo?: boolean;
}

/** Defaults of the tools, which are those of TRL's trainers, and what keys say together. */
export function settleObjective(recipe: Recipe, context: ImportContext, { dropout, cpo }: Defaults): void {
  const { objective, pairLosses: losses = [], lossWeights: weights = [] } = recipe;
  if (objective === undefined) return;
  if (objective !== 'reward') recipe.beta ??= 0.1;
  const [at, other] = [losses.indexOf('sft'), losses.findIndex((name) => name !== 'sft')];
  if (at < 0)
    for (const key of ['loss_weights', 'dpo_loss_weights'])
      revise(context, key, automatic('there is one loss, with no weight beside another'));
  if (objective === 'dpo' && at >= 0) recipe.sftWeight ??= (weights[at] ?? 1) / (weights[other] ?? 1);
  if (dropout !== undefined) {
    revise(context, dropout, automatic(NO_DROPOUT));
    recipe.lora.dropout = 0;
  }
  if (objective === 'simpo' && cpo === true)
    remark(
      recipe,
      'objective',
      'There, the cross entropy of the chosen answers is learned as well, unless `cpo_alpha` is 0.',
    );
  for (const dataset of [...recipe.datasets, ...recipe.validation]) dataset.template = 'preference';
}
