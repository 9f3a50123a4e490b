import { type FunctionSchema, optional, t } from '../schema.js';

/** Templates in `stdlib/chat/`: how well-known families of models write a chat. */
export const CHAT_STYLES = ['chatml', 'gemma', 'llama2', 'llama3', 'mistral', 'phi3', 'zephyr'] as const;

/** How a row becomes text. */
export const templates = {
  chat: {
    family: 'template',
    doc: 'The chat template of the model: question as user, answer as assistant. Rows may carry `messages` instead.',
    positional: [],
    args: {
      system: optional(t.union(t.file, t.string), 'The system message of every row.'),
      style: optional(
        t.fileOf({ folder: 'chat', ending: 'jinja', names: CHAT_STYLES }),
        'Written so instead: a style of the library, or a Jinja template of yours. What is trained takes it along.',
      ),
    },
  },
  alpaca: {
    family: 'template',
    doc: '`### Instruction:`, `### Input:`, `### Response:`, and the end token.',
    positional: [],
    args: {},
  },
  completion: {
    family: 'template',
    doc: 'The column `text` as it stands, and the end token.',
    positional: [],
    args: {},
  },
} as const satisfies Record<string, FunctionSchema>;
