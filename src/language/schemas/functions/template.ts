import type { RowKind } from '../../diagnostics/catalogue/wiring.js';
import type { Call, Value } from '../../ir/program.js';
import { isReadFile } from '../../ir/values.js';
import { lookUp } from '../../source/look-up.js';
import { defaulted, type FunctionSchema, optional, t } from '../schema.js';
import { columnsIn } from './text-pattern.js';

/** Templates in `stdlib/chat/`: how well-known families of models write a chat. */
export const CHAT_STYLES = [
  'chatml',
  'gemma',
  'hermes',
  'llama2',
  'llama3',
  'mistral',
  'phi3',
  'zephyr',
] as const;

const system = optional(t.union(t.file, t.string), 'The system message of every row.');
const style = optional(
  t.fileOf({ folder: 'chat', ending: 'jinja', names: CHAT_STYLES }),
  'Another template: that of a family, or a Jinja file of your own. It is saved with what is trained.',
);

const few_shot = (value: number) =>
  defaulted(t.integer({ min: 0 }), value, 'Solved questions of the same subject before each.');
const examples = optional(
  t.port('Data'),
  'The data stage whose rows are shown solved; default: the train split of `from`.',
);

const pattern = (doc: string) =>
  optional(
    t.union(t.file, t.string),
    `${doc}: a text with columns in braces, \`"Question: {question}"\`, or a Jinja file that has the columns as variables.`,
  );

/** How a row becomes text. */
export const templates = {
  chat: {
    family: 'template',
    doc: 'The chat template of the model: question as user, answer as assistant. Rows may carry `messages` instead.',
    positional: [],
    args: { system, style },
  },
  alpaca: {
    family: 'template',
    doc: '`### Instruction:`, `### Input:`, `### Response:`, and the end token.',
    positional: [],
    args: {
      preamble: defaulted(
        t.boolean,
        false,
        'Begin with the sentence of the Alpaca data set: "Below is an instruction that describes a task…".',
      ),
    },
  },
  sharegpt: {
    family: 'template',
    doc: 'The chat template of the model over `conversations`: a list of `{ "from", "value" }`, from `human`, `gpt`, `system`, `tool` and others.',
    positional: [],
    args: { system, style },
  },
  completion: {
    family: 'template',
    doc: 'The column `text` as it is, or `prompt` and `completion`, and the end token. Both may be texts of your own, of any columns.',
    positional: [],
    args: {
      prompt: pattern('What is before the answer, and not trained on'),
      completion: pattern('What is trained on'),
    },
  },
  preference: {
    family: 'template',
    doc: 'Preferences: `prompt`, `chosen` and `rejected`, each a text or messages; or `prompt`, `completion` and a `label` that says whether it is good, or whole chats as `messages` with such a `label`.',
    positional: [],
    args: { system, style },
  },
  preference_tokens: {
    family: 'template',
    doc: 'Preferences that are already tokenized: `prompt_ids`, `chosen_ids` and `rejected_ids`; or `prompt_ids`, `completion_ids` and `label`.',
    positional: [],
    args: {},
  },
  labelled: {
    family: 'template',
    doc: 'A text and its label, for a classifier. The label is not part of the text; it is predicted at the last token.',
    positional: [],
    args: {
      text: defaulted(t.filled, 'text', 'Column with the text.'),
      label: defaulted(t.filled, 'label', 'Column with the label: a string, a whole number or a boolean.'),
      labels: optional(
        t.list(t.filled, { min: 2 }),
        'The labels, in the order of their numbers; default: those in the data, sorted.',
      ),
    },
  },
  tokens: {
    family: 'template',
    doc: 'Rows that are already tokenized: `input_ids`, and `labels` with -100 where the loss does not count.',
    positional: [],
    args: {},
  },
  choices: {
    family: 'template',
    doc: 'Questions with choices, which an evaluation scores: `question`, `choices`, `answer`, or the columns of ARC, HellaSwag or Winogrande.',
    positional: [],
    args: {
      style: defaulted(
        t.enum('letters', 'endings'),
        'letters',
        'Whether choices are listed and their letters scored, as MMLU, or each is scored as the end of the question, as HellaSwag.',
      ),
      few_shot: few_shot(0),
      examples,
    },
  },
  question_answer: {
    family: 'template',
    doc: '`Question: …`, `Answer:`, and the answer after it, as lm-evaluation-harness writes GSM8K: `question`, `answer`.',
    positional: ['few_shot'],
    args: { few_shot: few_shot(0), examples },
  },
} as const satisfies Record<string, FunctionSchema>;

/** Of a Jinja file, nobody can say. */
const patternColumns = (given: Value): readonly string[] =>
  typeof given === 'string' ? columnsIn(given) : [];

/** Columns that a template reads, by the function: one of the sets must be there. */
const TEMPLATE_COLUMNS = {
  chat: () => [['instruction', 'output'], ['messages']],
  alpaca: () => [['instruction', 'output']],
  sharegpt: () => [['conversations']],
  completion: ({ prompt = null, completion = null }: Call['args']) =>
    prompt === null && completion === null
      ? [['text'], ['prompt', 'completion']]
      : [[...patternColumns(prompt ?? ''), ...patternColumns(completion ?? '{completion}')]],
  preference: () => [
    ['chosen', 'rejected'],
    ['prompt', 'completion', 'label'],
    ['messages', 'label'],
  ],
  preference_tokens: () => [
    ['prompt_ids', 'chosen_ids', 'rejected_ids'],
    ['prompt_ids', 'completion_ids', 'label'],
  ],
  labelled: ({ text, label }: Call['args']) => [[String(text), String(label)]],
  // `labels` too, unless all tokens are trained.
  tokens: () => [['input_ids']],
  choices: () => [
    ['question', 'choices', 'answer'],
    ['question', 'choices', 'answerKey'],
    ['ctx_a', 'endings', 'label'],
    ['sentence', 'option1', 'option2', 'answer'],
  ],
  question_answer: () => [['question', 'answer']],
} satisfies Readonly<Record<keyof typeof templates, (args: Call['args']) => readonly (readonly string[])[]>>;

/** The sets of columns of which a template needs one; nothing for what is no template. */
export const columnsOf = ({ call, args }: Call): readonly (readonly string[])[] =>
  Object.hasOwn(TEMPLATE_COLUMNS, call) ? TEMPLATE_COLUMNS[call as keyof typeof templates](args) : [];

/** Templates by the sets of columns that they need where nothing else is said. */
export const usualColumns = (): readonly (readonly [string, readonly (readonly string[])[]])[] =>
  Object.keys(templates).map((call) => [call, columnsOf({ call, args: { text: 'text', label: 'label' } })]);

/** The template whose rows are choices, which are scored and not trained on. */
export const CHOICES = 'choices' satisfies keyof typeof templates;

export type { RowKind };

/** Templates that may show solved rows before others. */
const SHOWING: readonly string[] = ['choices', 'question_answer'] satisfies (keyof typeof templates)[];

/** Rows that are shown solved before each, by what the template says. */
export const shownBefore = ({ call, args }: Call): number =>
  SHOWING.includes(call) ? Number(args['few_shot']) : 0;

/** Whether rows are written by Jinja: the chat template of the model, or a file of one's own. */
export const isInJinja = ({ call, args }: Call): boolean =>
  'system' in (lookUp(templates, call)?.args ?? {}) || Object.values(args).some(isReadFile);

/** The template whose rows have labels, which are what classifiers are trained on. */
export const LABELLED = 'labelled' satisfies keyof typeof templates;

/** Templates whose rows are preferences: of texts, and of token ids. */
export const PREFERENCE = 'preference' satisfies keyof typeof templates;
export const PREFERENCE_TOKENS = 'preference_tokens' satisfies keyof typeof templates;

const KINDS: Readonly<Record<string, RowKind>> = {
  [LABELLED]: 'labels',
  [CHOICES]: 'choices',
  [PREFERENCE]: 'preferences',
  [PREFERENCE_TOKENS]: 'preferences',
};

/** What a template makes of rows, by its name. */
export const rowKind = (template: string): RowKind => lookUp(KINDS, template) ?? 'texts';
