/** Translations of settings that mean the same in several tools. */

import { isRevision } from '../../../language/schemas/repositories.js';
import { lookUp } from '../../../language/source/look-up.js';
import { a, type ForeignNode, type Reader } from '../foreign.js';
import { isPattern, namesOfPattern, optimizerOf } from '../optimizers.js';
import { type Recipe, remark } from '../recipe.js';
import { scheduleOf } from '../schedules.js';
import {
  automatic,
  becomes,
  type ImportContext,
  left,
  revise,
  type Translation,
  type Verdict,
} from '../translation.js';
import { BY_ITSELF, NONE } from './reasons.js';

export const rate: Translation<Recipe> = becomes('`rate` of the optimizer', a.positive, (recipe, value) => {
  recipe.rate = value;
});

/** A field of a recipe that takes the value as it is. */
export const field = <K extends keyof Recipe>(
  doc: string,
  reader: Reader<NonNullable<Recipe[K]>>,
  name: K,
): Translation<Recipe> =>
  becomes(
    doc,
    reader,
    (recipe, value) => {
      recipe[name] = value;
    },
    name,
  );

export const loraField = <K extends keyof Recipe['lora']>(
  doc: string,
  reader: Reader<NonNullable<Recipe['lora'][K]>>,
  name: K,
): Translation<Recipe> =>
  becomes(
    doc,
    reader,
    (recipe, value) => {
      recipe.lora[name] = value;
    },
    name === 'dropout' ? 'dropout' : 'lora',
  );

export const revision: Translation<Recipe> = becomes(
  '`revision` of `hf`',
  a.text,
  (recipe, value) => {
    if (value === 'main') return automatic('the newest revision is read, unless another is named');
    if (!isRevision(value)) return left(NONE.revision);
    recipe.revision = value;
    return undefined;
  },
  'revision',
);

export const base: Translation<Recipe> = becomes(
  '`base = hf("org/name")` or `local("folder")`',
  a.text,
  (recipe, name, _, at) => {
    recipe.base = { name, at };
  },
);

export const optimizer: Translation<Recipe> = becomes(
  '`optimizer = adamw(…)`, `adamw8bit`, `adafactor`, `lion` or `sgd`',
  a.text,
  (recipe, name) => {
    recipe.optimizer = name;
    const { near } = optimizerOf(name);
    return near === undefined ? undefined : left(near);
  },
);

export const schedule: Translation<Recipe> = becomes(
  '`schedule` of the optimizer',
  a.text,
  (recipe, name) => {
    recipe.schedule = name;
    const { near } = scheduleOf(name);
    return near === undefined ? undefined : left(near);
  },
);

/** Share of the steps, or, from 1, their number, as Trainer 5 reads it. */
export const warmup: Translation<Recipe> = becomes(
  '`warmup` of the schedule',
  a.amount,
  (recipe, value) => {
    if (value < 1) recipe.warmupRatio = value;
    else recipe.warmupSteps = Math.round(value);
    return undefined;
  },
  'warmup',
);

export const warmupRatio: Translation<Recipe> = becomes(
  '`warmup` of the schedule, in %',
  a.share,
  (recipe, value) => {
    recipe.warmupRatio ??= value;
  },
  'warmup',
);

/** Arguments of a schedule. */
export const scheduleArguments: Translation<Recipe> = becomes(
  'the arguments of the schedule',
  a.record,
  (recipe, { entries }) => {
    const read = entries.map(
      ({ key, value }) => [key.slice(0, 40), a.number.read(value) ?? a.text.read(value) ?? ''] as const,
    );
    recipe.scheduleArguments = { ...recipe.scheduleArguments, ...Object.fromEntries(read) };
    return undefined;
  },
  'scheduleArguments',
);

/** An argument of the schedule that has a key of its own. */
export const scheduleArgument = (name: string): Translation<Recipe> =>
  becomes(
    '`min` of the schedule, in %',
    a.share,
    (recipe, value) => {
      recipe.scheduleArguments = { ...recipe.scheduleArguments, [name]: value };
    },
    'scheduleArguments',
  );

/** No limit if it is not above 0. */
export const maxSteps: Translation<Recipe> = becomes('`stop = { steps: … }`', a.whole, (recipe, value) => {
  if (value <= 0) return automatic('without a limit, as here');
  recipe.steps = value;
  return undefined;
});

/** 0 is not clipped. */
export const clip = field('`clip` of the optimizer; `none` for 0', a.amount, 'clip');

/** Every so many steps; below 1, a share of all steps. */
export const everySteps = (put: 'saves' | 'validations'): Translation<Recipe> =>
  becomes(
    put === 'saves' ? '`checkpoint = { every: … }`' : '`validation = { every: … }`',
    a.positive,
    (recipe, value) => {
      if (value < 1)
        return left('`every` counts steps, whose number only the rows tell; `ftpc plan` shows it');
      recipe[put] = Math.round(value);
      return undefined;
    },
    put,
  );

/** When something is done: `steps` go with the number of steps. */
export const strategy = (of: 'savesBySteps' | 'validatesBySteps'): Translation<Recipe> =>
  becomes(
    'checkpoints and validations come every `checkpoint = { every: … }` steps',
    a.value,
    (recipe, value) => {
      const word = value.kind === 'scalar' ? String(value.value) : '';
      recipe[of] = /steps$/i.test(word);
      if (recipe[of]) return automatic('checkpoints and validations come every so many steps');
      if (/^(no|false|best)$/i.test(word))
        return automatic(of === 'savesBySteps' ? BY_ITSELF.store : BY_ITSELF.validation);
      return left('`checkpoint = { every: … }` counts steps, whose number per epoch only the rows tell');
    },
  );

/** Metrics of answers that others compute alike; `bleu-4` and `accuracy` of LLaMA-Factory are of tokens. */
const ANSWER_METRICS: Readonly<Record<string, string>> = {
  'rouge-1': 'rouge_1',
  'rouge-2': 'rouge_2',
  'rouge-l': 'rouge_l',
  rouge1: 'rouge_1',
  rouge2: 'rouge_2',
  rougel: 'rouge_l',
  rougelsum: 'rouge_lsum',
  bleu: 'bleu',
  sacrebleu: 'bleu',
  chrf: 'chrf',
  exact_match: 'exact_match',
};

/** What the best checkpoint is best by: `eval_loss`, `eval_rougeL`. */
export const bestMetric: Translation<Recipe> = becomes(
  '`validation = { metrics: …, best: … }`',
  a.text,
  (recipe, value) => {
    const name = value.toLowerCase().replace(/^eval_/, '');
    if (name === 'loss') return automatic(BY_ITSELF.best);
    const metric = lookUp(ANSWER_METRICS, name);
    if (metric === undefined) return left('no metric of a validation is computed like that');
    recipe.best = metric;
    return undefined;
  },
  'best',
);

/** Linear layers with an adapter: a word for all, names, ends of paths, or a regular expression. */
export const targets: Translation<Recipe> = becomes(
  '`lora = { targets: … }`; a regular expression becomes the names at its end',
  a.names,
  (recipe, names) => {
    if (names.some((name) => /^all([-_]linear)?$/i.test(name))) {
      recipe.lora.targets = 'all_linear';
      return undefined;
    }
    const patterns = names.filter(isPattern);
    const found = patterns.map(namesOfPattern);
    const plain = names.filter((name) => !isPattern(name));
    const all = [...new Set([...plain, ...found.flatMap((some) => some ?? [])])];
    if (recipe.lora.targets !== 'all_linear' && all.length > 0) recipe.lora.targets = all;
    if (patterns.length > 0 && all.length > 0 && found.every((some) => some !== undefined))
      remark(
        recipe,
        'lora',
        'The targets were a regular expression; here they are the names at its end, in every layer.',
      );
    return found.includes(undefined)
      ? left('targets are names and ends of paths, not regular expressions')
      : undefined;
  },
  'lora',
);

/** Linear layers without an adapter: names, ends of paths and whole paths. */
export const exclude: Translation<Recipe> = becomes(
  '`lora = { exclude: … }`',
  a.names,
  (recipe, names) => {
    if (names.some(isPattern))
      return left('what is excluded are names and ends of paths, not regular expressions');
    recipe.lora.exclude = names;
    return undefined;
  },
  'lora',
);

/** PEFT's `target_parameters`: of transformers' experts, which are no linear layers. */
export const experts: Translation<Recipe> = becomes(
  '`lora = { targets: … }`: `"experts.gate_up_proj"`, `"experts.down_proj"`',
  a.names,
  (recipe, names) => {
    const known = names.filter((name) => EXPERTS.test(name));
    if (known.length > 0)
      recipe.lora.experts = known.map((name) => (name.includes('.') ? name : `experts.${name}`));
    return known.length === names.length
      ? undefined
      : left('of parameters, only those of experts can have an adapter');
  },
  'lora',
);

const EXPERTS = /(?:^|\.experts\.|^experts\.)(?:gate_up_proj|up_proj|down_proj)$/;

/** Several keys may name some. */
export function addTokens(
  recipe: Recipe,
  tokens: readonly string[],
  kind: 'specialTokens' | 'plainTokens' = 'specialTokens',
): void {
  recipe[kind] = [...new Set([...(recipe[kind] ?? []), ...tokens])];
}

export const specialTokens: Translation<Recipe> = becomes(
  '`special_tokens` of the base',
  a.names,
  (recipe, names) => void addTokens(recipe, names),
);

export const plainTokens: Translation<Recipe> = becomes(
  '`added_tokens` of the base',
  a.names,
  (recipe, names) => void addTokens(recipe, names, 'plainTokens'),
);

/** Saved with the adapter, and trained whole. */
export const modulesToSave: Translation<Recipe> = becomes(
  '`lora = { modules_to_save: … }`: `embed_tokens`, `lm_head`',
  a.names,
  (recipe, names) => {
    const known = names.filter((name) => name === 'embed_tokens' || name === 'lm_head');
    if (known.length > 0) recipe.lora.modulesToSave = known;
    return known.length === names.length
      ? undefined
      : left('only `embed_tokens` and `lm_head` can be trained with an adapter');
  },
  'lora',
);

/** PEFT's `init_lora_weights`. */
export const initialWeights: Translation<Recipe> = becomes(
  '`lora = { init: … }`: `kaiming`, `gaussian`, `pissa`',
  a.value,
  (recipe, value) => {
    const word = value.kind === 'scalar' ? String(value.value).toLowerCase() : '';
    const init = word === 'true' ? 'kaiming' : word;
    if (init !== 'kaiming' && init !== 'gaussian' && !init.startsWith('pissa'))
      return left('`init` is `kaiming`, `gaussian` or `pissa`');
    recipe.lora.init = init.startsWith('pissa') ? 'pissa' : init === 'gaussian' ? 'gaussian' : 'kaiming';
    return undefined;
  },
  'lora',
);

/** A family of chat templates, or the model's own. */
export const chatTemplate: Translation<Recipe> = becomes(
  "`style` of `chat()`; where ftpc has no such family, the model's own template",
  a.text,
  (recipe, name) => setStyle(recipe, name),
  'style',
);

/** Names for the template that the model brings. */
const OWN = /^(tokenizer_default(_fallback_.*)?|default|empty)$/;

export function setStyle(recipe: Recipe, name: string): Verdict {
  if (OWN.test(name)) return automatic('the chat template is that of the model, as here');
  recipe.style = name;
  return undefined;
}

/** Rows for validation: a share, or, from 1, a number of rows. */
export const validationShare: Translation<Recipe> = becomes(
  '`split = { train: …, valid: … }`',
  a.amount,
  (recipe, value) => {
    if (value === 0) return automatic('no rows are set aside, as here');
    if (value < 1e-6) return left('a split has shares of at least 0.0001 %');
    if (value >= 1) return left('a split has shares, whose size only the number of rows tells: `valid: 10%`');
    recipe.validShare = value;
    return undefined;
  },
);

export const bits = (doc: string): Translation<Recipe> =>
  becomes(
    doc,
    a.flag,
    (recipe, value) => {
      if (!value) return automatic('a base is quantised only where another key says so');
      recipe.fourBit = true;
      return undefined;
    },
    'fourBit',
  );

export const eightBit: Translation<Recipe> = becomes(
  'a base in 8 bits is not quantised',
  a.flag,
  (_, value) =>
    value
      ? left(`${NONE.quantised}; it is read as it is stored`)
      : automatic('the base is not quantised to 8 bits'),
);

/** Of all tools that are built on transformers' Trainer; ftpc has another. */
export const TRAINER_SEED = 42;

interface Length {
  /** The tool's own number of epochs, and its key for another. */
  readonly epochs: number;
  readonly key: string;
  readonly tool: string;
}

/** A number of steps wins over one of epochs. */
export function settleLength(recipe: Recipe, context: ImportContext, { epochs, key, tool }: Length): void {
  if (recipe.steps === undefined) recipe.epochs ??= epochs;
  else if (recipe.epochs !== undefined) {
    recipe.epochs = undefined;
    revise(context, key, automatic(`\`max_steps\` decides, in ${tool} too`));
  }
}

/** What a value says, for tables that look at it themselves. */
export const textOf = (value: ForeignNode | undefined): string | undefined =>
  value === undefined ? undefined : a.text.read(value);
