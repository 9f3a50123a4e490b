import { defaulted, type FunctionSchema, optional, required, t } from '../schema.js';

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
  hub: {
    family: 'source',
    doc: 'Rows of a data set of the Hugging Face Hub; `ftpc lock` pins the revision to a commit, and a run fetches what is missing.',
    positional: ['repository'],
    args: {
      repository: required(t.repository, 'Name on the Hub: `org/name`.'),
      split: optional(
        t.string,
        'Reads the files whose path names this split. Left out: `train`, or every file where none is named so.',
      ),
      files: optional(t.string, 'A file or pattern in the repository, instead of a split.'),
      revision: defaulted(t.revision, 'main', 'Branch, tag or commit.'),
      token: optional(t.secret, 'A `secret` that holds the access token, for private and gated data sets.'),
      columns: optional(columns, 'Names of the columns, where they differ from the usual ones.'),
    },
  },
} as const satisfies Record<string, FunctionSchema>;
