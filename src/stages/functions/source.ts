import { type FunctionSchema, optional, required, t } from '../schema.js';

const columns = t.record({
  instruction: optional(t.string, 'Column that holds the question. Left out: `instruction`.'),
  input: optional(t.string, 'Column that holds what the question is about. Left out: `input`, if there.'),
  output: optional(t.string, 'Column that holds the answer. Left out: `output`.'),
});

/** Where rows come from. */
export const sources = {
  jsonl: {
    family: 'source',
    doc: 'Files with one JSON object a line.',
    positional: ['files'],
    args: {
      files: required(t.files, 'File or glob, relative to the pipeline file.'),
      columns: optional(columns, 'Names of the columns, where they differ from the usual ones.'),
    },
  },
} as const satisfies Record<string, FunctionSchema>;
