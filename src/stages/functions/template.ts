import { type FunctionSchema, optional, t } from '../schema.js';

/** Templates in `stdlib/chat/`: how well-known families of models write a chat. */
export const CHAT_STYLES = ['chatml', 'gemma', 'llama2', 'llama3', 'mistral', 'phi3', 'zephyr'] as const;

const system = optional(t.union(t.file, t.string), 'The system message of every row.');
const style = optional(
  t.fileOf({ folder: 'chat', ending: 'jinja', names: CHAT_STYLES }),
  'Written so instead: a style of the library, or a Jinja template of yours. What is trained takes it along.',
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
    args: {},
  },
  sharegpt: {
    family: 'template',
    doc: 'The chat template of the model over `conversations`: a list of `{ "from", "value" }`, said by `human`, `gpt`, `system`, `tool` and the like.',
    positional: [],
    args: { system, style },
  },
  completion: {
    family: 'template',
    doc: 'The column `text` as it stands, and the end token.',
    positional: [],
    args: {},
  },
  tokens: {
    family: 'template',
    doc: 'Rows that are tokens already: `input_ids`, and `labels` with -100 where the loss does not count.',
    positional: [],
    args: {},
  },
} as const satisfies Record<string, FunctionSchema>;

/** Columns that a template reads, by the function: one of the sets must be there. */
export const TEMPLATE_COLUMNS: Readonly<Record<keyof typeof templates, readonly (readonly string[])[]>> = {
  chat: [['instruction', 'output'], ['messages']],
  alpaca: [['instruction', 'output']],
  sharegpt: [['conversations']],
  completion: [['text'], ['prompt', 'completion']],
  tokens: [['input_ids', 'labels']],
};
