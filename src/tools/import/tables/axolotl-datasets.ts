/** Axolotl: what a data set of `datasets` becomes. */
import { isRevision } from '../../../language/schemas/repositories.js';
import { lookUp } from '../../../language/source/look-up.js';
import { a, type ForeignNode, type ForeignRecord, valueIn } from '../foreign.js';
import { type Dataset, newDataset, type Recipe, type TemplateName } from '../recipe.js';
import { isLocal, splitOf } from '../sources.js';
import {
  automatic,
  becomes,
  byItself,
  each,
  hasNone,
  type ImportContext,
  left,
  refused,
  revise,
  type TranslationTable,
  translateEntries,
  unable,
  type Verdict,
} from '../translation.js';
import { setPreferenceType, settleMessagesOfPrompt } from './axolotl-preferences.js';
import { setStyle } from './common.js';
import { addDataset, settleMessages } from './datasets.js';
import { BY_ITSELF, NONE } from './reasons.js';

/** A data set while it is read, and the recipe that it is for. */
interface Target {
  readonly dataset: Dataset;
  readonly recipe: Recipe;
}

const column = (name: keyof Dataset['columns'], ...doc: readonly string[]) =>
  becomes(`\`columns: { ${name}: … }\`${doc.join('')}`, a.text, ({ dataset }: Target, value) => {
    if (value !== name) dataset.columns[name] = value;
    return undefined;
  });

/** Kinds of prompts by what comes before a dot or a colon in `type`. */
const TEMPLATES: Readonly<Record<string, TemplateName>> = {
  alpaca: 'alpaca',
  chat_template: 'chat',
  sharegpt: 'sharegpt',
  completion: 'completion',
  pretrain: 'completion',
};

function setType({ dataset, recipe }: Target, value: ForeignNode, context: ImportContext): Verdict {
  const table = recipe.objective === undefined ? OWN_PROMPT : OWN_PREFERENCE;
  if (value.kind === 'record') return ownPrompt({ dataset, recipe }, value, table, context);
  const type = a.text.read(value) ?? '';
  if (recipe.objective !== undefined) return setPreferenceType(dataset, recipe, type);
  const [family = '', ...rest] = type.split(/[.:]/);
  const template = lookUp(TEMPLATES, family);
  if (
    template === undefined &&
    /reward|rwd|bradley|dpo|kto|orpo|stepwise|intel|ultra|argilla|ebft/i.test(type)
  )
    return refused(NONE.unaimed);
  dataset.template = template ?? 'alpaca';
  if (template === undefined)
    return left(
      'ftpc does not have this prompt; `alpaca()` takes its place, with the columns `instruction`, `input` and `output`',
    );
  if (rest.length > 0 && !(family === 'chat_template' && rest[0] === 'default'))
    return /^(argilla|icr|intel|ultra|prompt_pairs|zephyr)$/.test(rest[0] ?? '')
      ? refused(NONE.unaimed)
      : left(
          `the variant \`${rest.join('.').slice(0, 40)}\` of this prompt is not there; \`${template}()\` takes its place`,
        );
  if (template === 'alpaca') dataset.preamble = true;
  return undefined;
}

/** A prompt of the author's own: its columns are those of `alpaca()`, its text is not. */
function ownPrompt(
  target: Target,
  record: ForeignRecord,
  table: TranslationTable<Target>,
  context: ImportContext,
): Verdict {
  target.dataset.template = table === OWN_PROMPT ? 'alpaca' : 'preference';
  translateEntries(record, table, target, context, 'datasets.type.');
  return undefined;
}

/** Columns of preferences that are plain text. */
const PREFERENCE_COLUMNS: TranslationTable<Target> = {
  field_prompt: column('prompt'),
  field_chosen: column('chosen'),
  field_rejected: column('rejected'),
  field_completion: column('completion'),
  field_label: column('label'),
};

const OWN_PREFERENCE: TranslationTable<Target> = {
  ...PREFERENCE_COLUMNS,
  field_system: hasNone<Target>('`preference(system: …)` is the same for all rows'),
  prompt_format: hasNone<Target>('prompts are read as they are', '{prompt}'),
  chosen_format: hasNone<Target>('answers are read as they are', '{chosen}'),
  rejected_format: hasNone<Target>('answers are read as they are', '{rejected}'),
  completion_format: hasNone<Target>('answers are read as they are', '{completion}'),
};

const OWN_PROMPT: TranslationTable<Target> = {
  field_instruction: column('instruction'),
  field_input: column('input'),
  field_output: column('output'),
  field_system: hasNone<Target>('a system message is the same for all rows: `chat(system: …)`'),
  system_prompt: hasNone<Target>('`alpaca()` has no system message'),
  system_format: hasNone<Target>('`alpaca()` has no system message'),
  format: hasNone<Target>(
    '`alpaca()` writes the prompt its own way; `chat(style: file("own.jinja"))` takes a template',
  ),
  no_input_format: hasNone<Target>('`alpaca()` writes the prompt its own way'),
};

const messageKey = (part: 'roleKey' | 'contentKey') =>
  becomes(
    '`sharegpt()` for `from` and `value`, `chat()` for `role` and `content`',
    a.text,
    ({ dataset }: Target, value) => {
      dataset[part] = value;
      return undefined;
    },
  );

const mappings = becomes(
  '`sharegpt()` for `from` and `value`, `chat()` for `role` and `content`',
  a.record,
  ({ dataset }: Target, record) => {
    const role = valueIn(record, 'role');
    const content = valueIn(record, 'content');
    dataset.roleKey = role === undefined ? undefined : a.text.read(role);
    dataset.contentKey = content === undefined ? undefined : a.text.read(content);
    const others = record.entries
      .filter(({ key }) => key !== 'role' && key !== 'content')
      .map(({ key }) => key);
    return others.length === 0
      ? undefined
      : left(`a message has a role and a text, and nothing of ${others.join(', ')}`);
  },
);

/** Names that `chat()` and `sharegpt()` know as the same speakers. */
const SPEAKERS: Readonly<Record<string, readonly string[]>> = {
  system: ['system'],
  user: ['user', 'human'],
  assistant: ['assistant', 'gpt', 'chatgpt', 'bot', 'model'],
  tool: ['tool'],
};

const roles = becomes(
  'the speakers that `chat()` and `sharegpt()` know',
  a.record,
  (_: Target, { entries }) =>
    entries.every(({ key, value }) =>
      (a.texts.read(value) ?? ['?']).every((name) => lookUp(SPEAKERS, key)?.includes(name)),
    )
      ? automatic('these are the speakers that ftpc knows')
      : left('the speakers of a row cannot be given other roles'),
);

const trainedRoles = becomes('`loss_on = assistant`, or `all`', a.names, ({ recipe }: Target, names) => {
  if (names.every((name) => SPEAKERS['assistant']?.includes(name)))
    return automatic('the answers of the assistant are trained on');
  recipe.lossOn = 'all';
  return left('`loss_on` is `assistant`, `last` or `all`, here `all`');
});

export const datasetTable: TranslationTable<Target> = {
  path: becomes(
    '`hub("org/name")`, or `jsonl`, `json`, `csv`, `parquet`, `text` of a file',
    a.text,
    ({ dataset }: Target, value) => {
      dataset.path = value;
    },
  ),
  type: becomes(
    '`template = alpaca()`, `chat()`, `sharegpt()` or `completion()`, beside `rl` `preference()`',
    a.value,
    (target: Target, value, context) => setType(target, value, context),
  ),
  split: becomes(
    '`split` of `hub`; `[:20%]` becomes a share, `[:500]` a `limit`',
    a.text,
    ({ dataset }: Target, value, _, at) => {
      dataset.split = value;
      dataset.splitAt = at;
    },
  ),
  data_files: becomes('`files` of `hub`, or the file', a.names, ({ dataset }: Target, value) => {
    dataset.files = value;
  }),
  revision: becomes('`revision` of `hub`', a.text, ({ dataset }: Target, value) => {
    if (!isRevision(value)) return left(NONE.revision);
    dataset.revision = value;
    return undefined;
  }),
  ds_type: becomes('which function reads the file', a.text, ({ dataset }: Target, value) => {
    dataset.fileType = value;
  }),
  field: column('text'),
  text_column: column('text'),
  field_messages: column('messages'),
  field_tools: column('tools'),
  message_property_mappings: mappings,
  message_field_role: messageKey('roleKey'),
  message_field_content: messageKey('contentKey'),
  roles,
  roles_to_train: trainedRoles,
  chat_template: becomes(
    '`style` of `chat()`',
    a.text,
    ({ recipe }: Target, value) => setStyle(recipe, value),
    'style',
  ),
  train_on_eos: hasNone<Target>('the end of every answer is trained on, and no other', 'turn'),
  train_on_eot: hasNone<Target>('the end of every answer is trained on, and no other', 'turn'),
  name: hasNone<Target>(
    'configurations of a data set are not known; `files: "folder/*"` of `hub` names their files',
    'default',
    'main',
  ),
  skip: hasNone<Target>('rows are not skipped by their number', 0),
  drop_system_message: hasNone<Target>('system messages of the rows are kept'),
  ...each(
    'shards shards_idx preprocess_shards',
    hasNone<Target>('all rows are read; `limit` chooses some by the seed'),
  ),
  ...each(
    `field_human field_model field_system input_format input_transform conversation
    message_field_training message_field_training_detail`,
    hasNone<Target>('`chat()` and `sharegpt()` read speakers and texts, and nothing else of a message'),
  ),
  ...each(
    'field_thinking template_thinking_key split_thinking',
    hasNone<Target>('a message has a role and a text; what the model thinks has to be in the text'),
  ),
  ...each(
    'logprobs_field temperature',
    unable<Target>('ftpc does not distil from the probabilities of another model'),
  ),
  field_chosen: column('chosen'),
  field_rejected: column('rejected'),
  field_prompt: column('prompt'),
  ...each(
    'step_separator max_completion_length train_on_last_step_only',
    unable<Target>('the steps of an answer have no rewards of their own'),
  ),
  chat_template_jinja: hasNone<Target>('save the template as a file: `chat(style: file("own.jinja"))`'),
  trust_remote_code: byItself<Target>(BY_ITSELF.code),
};

/** Rows of `datasets`, `test_datasets` or `pretraining_dataset`, under that key. */
export const datasets = (key: string, where: 'datasets' | 'validation') =>
  becomes<Recipe, readonly ForeignRecord[]>(
    'the `source` of a data stage',
    a.records,
    (recipe, records, context) => {
      for (const record of records) {
        const dataset = newDataset(record.span);
        const own = { ...context, keys: [] };
        // A data set that is left out leaves nothing in the recipe.
        const changed: Recipe = { ...recipe };
        translateEntries(record, datasetTable, { dataset, recipe: changed }, own, `${key}.`);
        settleTemplate(dataset, key, own);
        if (addDataset(dataset, where, recipe, context, own.keys)) Object.assign(recipe, changed);
      }
      return undefined;
    },
  );

function settleTemplate(dataset: Dataset, key: string, context: ImportContext): void {
  settleMessagesOfPrompt(dataset);
  dataset.template ??= key === 'pretraining_dataset' ? 'completion' : 'chat';
  if (dataset.template !== 'preference')
    for (const field of ['chosen', 'rejected', 'prompt'] as const) {
      revise(context, `${key}.field_${field}`, automatic('rows of preferences alone have it'));
      delete dataset.columns[field];
    }
  if (dataset.template === 'chat' && dataset.roleKey === 'from') dataset.template = 'sharegpt';
  if (isLocal(dataset.path ?? '', context)) {
    const alone = splitOf(dataset.split);
    if (alone.share === undefined && alone.rows === undefined && alone.part === undefined)
      revise(context, `${key}.split`, automatic('a file or a folder has no splits: all of it is read'));
    revise(context, `${key}.revision`, left(NONE.folder));
  }
  if (dataset.template !== 'chat' && dataset.template !== 'sharegpt') {
    delete dataset.columns.tools;
    revise(context, `${key}.field_tools`, left('only chats have tools'));
  }
  if (!settleMessages(dataset)) revise(context, `${key}.field_messages`, left(NONE.messages));
}
