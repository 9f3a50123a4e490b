import { type FunctionSchema, optional, t } from '../schema.js';

/** How a row becomes text. */
export const templates = {
  chat: {
    family: 'template',
    doc: 'The chat template of the model: question as user, answer as assistant. Rows may carry `messages` instead.',
    positional: [],
    args: { system: optional(t.union(t.file, t.string), 'The system message of every row.') },
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
