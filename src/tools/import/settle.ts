/** Keys that the rest of the file leaves without an effect: by the method, the optimizer, the schedule and the template. */

import { takes } from './objectives.js';
import { optimizerOf, styleOf } from './optimizers.js';
import { type Recipe, type RecipePart, remark } from './recipe.js';
import { scheduleOf, unreadArguments } from './schedules.js';
import { isLocal } from './sources.js';
import { BY_ITSELF } from './tables/reasons.js';
import { automatic, type ImportContext, left, revised } from './translation.js';

interface Rule {
  readonly parts: readonly RecipePart[];
  /** Why they have no effect in this recipe; nothing if they have one. */
  readonly why: (
    recipe: Recipe,
    context: ImportContext,
  ) => ReturnType<typeof left | typeof automatic> | undefined;
}

const call = (recipe: Recipe) => optimizerOf(recipe.optimizer ?? 'adamw').call;
const isAdam = (recipe: Recipe): boolean => call(recipe).startsWith('adam');
const isFull = ({ method }: Recipe): boolean => method === 'full';

/** Templates of the rows, and of those for validation. */
const templates = ({ datasets, validation }: Recipe): readonly string[] =>
  [datasets[0], validation[0]].flatMap((dataset) => dataset?.template ?? []);

const hasChat = (recipe: Recipe): boolean =>
  templates(recipe).some((template) => ['chat', 'sharegpt', 'preference'].includes(template));

const validates = ({ validShare, validation }: Recipe): boolean =>
  validShare !== undefined || validation.length > 0;

/** Steps from one validation to the next, where there are any. */
const validationsOf = (recipe: Recipe): number | undefined =>
  validates(recipe) && recipe.validatesBySteps === true ? recipe.validations : undefined;

/** Keys of an objective, where nothing is learned from preferences, or by another objective. */
const OF_OBJECTIVES: readonly Rule[] = (
  [
    'beta',
    'pairLoss',
    'pairSmoothing',
    'sftWeight',
    'gamma',
    'desirable',
    'undesirable',
    'reference',
  ] as const
).map((part) => ({
  parts: [part],
  why: ({ objective }) => {
    if (objective === undefined) return automatic('nothing is learned from preferences');
    return takes(objective, part) ? undefined : automatic(`\`${objective}\` does not have it`);
  },
}));

const RULES: readonly Rule[] = [
  ...OF_OBJECTIVES,
  {
    parts: ['lossOn'],
    why: ({ objective }) =>
      objective === undefined ? undefined : automatic('of preferences, the answers are learned'),
  },
  {
    parts: ['packing'],
    why: ({ objective, packing }) =>
      objective === undefined || packing !== true
        ? undefined
        : left('the answers of a pair are computed side by side'),
  },
  {
    parts: ['neftune'],
    why: ({ objective }) =>
      objective === undefined ? undefined : left('noise on the input changes which answer is likelier'),
  },
  {
    parts: ['best'],
    why: ({ objective }) =>
      objective === undefined ? undefined : left('nothing is written while preferences are validated'),
  },
  {
    parts: ['lora', 'dropout', 'loraplusRatio'],
    why: (recipe) => (isFull(recipe) ? automatic('every weight is trained, without an adapter') : undefined),
  },
  {
    parts: ['fourBit'],
    why: (recipe) =>
      isFull(recipe) ? left('every weight is trained; only under an adapter is a base in 4 bits') : undefined,
  },
  {
    parts: ['start'],
    why: (recipe) =>
      isFull(recipe) ? left('every weight is trained: merge the adapter into the base first') : undefined,
  },
  {
    parts: ['lora'],
    why: ({ start }) =>
      start === undefined ? undefined : automatic('the adapter that training starts from says it'),
  },
  {
    parts: ['beta1'],
    why: (recipe) => (isAdam(recipe) || call(recipe) === 'lion' ? undefined : withoutIt(recipe)),
  },
  {
    parts: ['beta2'],
    why: (recipe) => (isAdam(recipe) || call(recipe) === 'lion' ? undefined : withoutIt(recipe)),
  },
  { parts: ['epsilon'], why: (recipe) => (isAdam(recipe) ? undefined : withoutIt(recipe)) },
  {
    parts: ['warmup'],
    why: ({ schedule = '' }) =>
      scheduleOf(schedule).call === undefined
        ? automatic('the rate is constant, without a warm-up')
        : undefined,
  },
  {
    parts: ['scheduleArguments'],
    why: (recipe) => {
      const unread = unreadArguments(recipe);
      return unread.length === 0 ? undefined : left(`here, the schedule has no ${unread.join(' and no ')}`);
    },
  },
  {
    parts: ['micro', 'accumulation'],
    why: ({ stepRows, totalRows }) =>
      stepRows === undefined && totalRows === undefined ? undefined : automatic(BY_ITSELF.micro),
  },
  {
    parts: ['patience', 'validations', 'best'],
    why: (recipe) => (validates(recipe) ? undefined : left('no rows are set aside for validation')),
  },
  {
    parts: ['validations'],
    why: ({ validatesBySteps }) =>
      validatesBySteps === true ? undefined : automatic('validations do not come every so many steps there'),
  },
  {
    parts: ['saves'],
    why: ({ savesBySteps }) =>
      savesBySteps === true ? undefined : automatic('checkpoints do not come every so many steps there'),
  },
  {
    parts: ['system', 'style'],
    why: (recipe) =>
      templates(recipe).length === 0 || hasChat(recipe)
        ? undefined
        : left(`\`${templates(recipe)[0]}()\` has neither a system message nor a chat template`),
  },
  {
    parts: ['revision'],
    why: ({ base }, context) =>
      base !== undefined && isLocal(base.name, context) ? left('a folder has no revisions') : undefined,
  },
];

const withoutIt = (recipe: Recipe) => automatic(`\`${call(recipe)}\` does not have it`);

/** Says of every such key why; what it set is no longer in the recipe where it would be written. */
export function settleUnread(recipe: Recipe, context: ImportContext): void {
  const reasons = new Map<RecipePart, ReturnType<Rule['why']>>();
  for (const { parts, why } of RULES)
    for (const part of parts) reasons.set(part, reasons.get(part) ?? why(recipe, context));
  for (const [index, record] of context.keys.entries()) {
    const reason = record.sets === undefined ? undefined : reasons.get(record.sets);
    if (reason !== undefined && record.status === 'translated') context.keys[index] = revised(record, reason);
  }
  if (isFull(recipe)) {
    recipe.start = undefined;
    recipe.loraplusRatio = undefined;
  }
  if (recipe.objective !== undefined) {
    recipe.packing = undefined;
    recipe.neftune = undefined;
    recipe.best = undefined;
    recipe.lossOn = undefined;
    if (recipe.overflow === 'split') recipe.overflow = undefined;
  }
  const validations = validationsOf(recipe);
  recipe.every = (recipe.savesBySteps === true ? recipe.saves : undefined) ?? validations;
  recipe.validateEvery = validations === recipe.every ? undefined : validations;
  if (!validates(recipe)) {
    recipe.patience = undefined;
    recipe.best = undefined;
  }
  const { style, maxLength = SHORTEST } = recipe;
  if (typeof style === 'string' && styleOf(style) === undefined && hasChat(recipe))
    remark(
      recipe,
      'template',
      `The chat template of the model itself takes the place of \`${style.slice(0, 40)}\`.`,
    );
  if (maxLength < SHORTEST) {
    remark(recipe, 'max_length', `There, ${maxLength} tokens; a pipeline has at least ${SHORTEST}.`);
    recipe.maxLength = SHORTEST;
  }
}

/** Of a row, in tokens. */
const SHORTEST = 8;
