import { DELIMITERS } from '../delimiters.js';
import { defaulted, type FunctionSchema, optional, required, t } from '../schema.js';

/** Columns that a row may do without, though its source maps them. */
const OPTIONAL: ReadonlySet<string> = new Set([
  'input',
  'system',
  'tools',
  'labels',
  'attention_mask',
  'position_ids',
  'kind',
]);
export const mayBeMissing = (column: string): boolean => OPTIONAL.has(column);

const column = (name: string, doc: string) =>
  optional(
    t.filled,
    `Column with ${doc}; default: \`${name}\`${mayBeMissing(name) ? ', if it exists' : ''}.`,
  );

/** Every column that a template or an evaluation reads. */
const columns = t.record({
  instruction: column('instruction', 'the question'),
  input: column('input', 'the input that the question is about'),
  output: column('output', 'the answer'),
  messages: column('messages', 'a chat: a list of `{ "role", "content" }`'),
  conversations: column('conversations', 'a chat of ShareGPT: a list of `{ "from", "value" }`'),
  system: column('system', 'the system message of `conversations`'),
  tools: column('tools', 'the tools that a chat may call, a list or its JSON'),
  text: column('text', 'a text'),
  prompt: column('prompt', 'the beginning of a text'),
  completion: column('completion', 'what follows the `prompt`'),
  question: column('question', 'what the user asks, for answers that are compared'),
  chosen: column('chosen', 'the better of two answers'),
  rejected: column('rejected', 'the worse of two answers'),
  label: column('label', 'the label of a text'),
  input_ids: column('input_ids', 'the tokens of a text'),
  labels: column('labels', 'the labels of the tokens'),
  attention_mask: column('attention_mask', 'the mask of the tokens'),
  position_ids: column('position_ids', 'the positions of the tokens'),
  kind: column('kind', 'what sort of row it is, by which an evaluation reports'),
});

/** What a file of rows may be packed with, by the end of its name. */
export const PACKED = /\.(?:gz|zst)$/i;

/** Functions for data files, by the endings of their names. */
export const SOURCE_BY_ENDING = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.json': 'json',
  '.csv': 'csv',
  '.tsv': 'csv',
  '.parquet': 'parquet',
  '.txt': 'text',
  '.md': 'text',
} as const;

const files = required(
  t.files,
  'File or glob, relative to the pipeline file. Files packed with gzip or zstd are unpacked as they are read.',
);
const named = optional(columns, 'Names of the columns, if they differ from the defaults.');

/** Rows in `stdlib/samples/`. */
const SAMPLES = ['general', 'safety'] as const;

/** Where rows come from. */
export const sources = {
  jsonl: {
    family: 'source',
    doc: 'Files with one JSON object per line.',
    positional: ['files'],
    args: { files, columns: named },
  },
  json: {
    family: 'source',
    doc: 'Files with one JSON list of objects; each object is a row.',
    positional: ['files'],
    args: {
      files,
      field: optional(
        t.filled,
        'Member with the list, if the file is a single object: `data` in `{ "data": [ … ] }`.',
      ),
      columns: named,
    },
  },
  csv: {
    family: 'source',
    doc: 'Files of comma-separated values (RFC 4180, UTF-8); the first line names the columns, and every value is a string.',
    positional: ['files'],
    args: {
      files,
      delimiter: defaulted(t.enum(...Object.keys(DELIMITERS)), 'comma', 'Separator of the values.'),
      columns: named,
    },
  },
  parquet: {
    family: 'source',
    doc: 'Parquet files; nested columns become lists and objects. Reports give row numbers instead of lines.',
    positional: ['files'],
    args: {
      files: required(t.files, 'File or glob, relative to the pipeline file.'),
      columns: named,
    },
  },
  text: {
    family: 'source',
    doc: 'Plain UTF-8 texts in the column `text`, for `completion()`.',
    positional: ['files'],
    args: {
      files,
      by: defaulted(
        t.enum('document', 'paragraph', 'line'),
        'document',
        'What becomes a row: a whole file, the lines between blank lines, or each line that is not blank.',
      ),
    },
  },
  sample: {
    family: 'source',
    doc: 'Rows that come with ftpc, to evaluate on: `general` has questions with choices, `safety` has prompts that a model should decline, and harmless ones like them.',
    positional: ['name'],
    args: { name: required(t.enum(...SAMPLES), 'Which rows.') },
  },
  synthetic: {
    family: 'source',
    doc: 'Rows of random ids for `tokens()`, all supervised, for plans and benchmarks without data.',
    positional: [],
    args: {
      rows: defaulted(t.integer({ min: 1 }), 1000, 'Rows.'),
      length: defaulted(t.quantity('tokens', { min: 2 }), 2048, 'Tokens of each row.'),
      vocabulary: defaulted(
        t.integer({ min: 1 }),
        256,
        'Ids are drawn from 0 up to, but not including, this number.',
      ),
      seed: defaulted(t.integer({ min: 0 }), 17, 'Seed of the ids.'),
    },
  },
  hub: {
    family: 'source',
    doc: 'Rows of a data set of the Hugging Face Hub; `ftpc lock` pins the revision to a commit, and a run fetches what is missing.',
    positional: ['repository'],
    args: {
      repository: required(t.repository, 'Name on the Hub: `org/name`.'),
      split: optional(
        t.filled,
        'Reads the files whose path names this split; default: `train`, or all files if none is named so.',
      ),
      files: optional(t.filled, 'A file or pattern in the repository, instead of a split.'),
      revision: defaulted(t.revision, 'main', 'Branch, tag or commit.'),
      token: optional(t.secret, 'A `secret` that holds the access token, for private and gated data sets.'),
      columns: named,
    },
  },
} as const satisfies Record<string, FunctionSchema>;

/** Whether a source makes its rows up, and reads nothing. */
export const isMadeUp = ({ call }: { readonly call: string }): boolean => call === 'synthetic';

/** Whether its rows come with ftpc. */
export const isShipped = ({ call }: { readonly call: string }): boolean => call === 'sample';

/** Columns of the sources that bring their own; those of the others are in their files. */
export const SOURCE_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  text: ['text'],
  synthetic: ['input_ids', 'labels'],
};

/** Which rows repeat an earlier one. */
export const dedupes = {
  exact: { family: 'dedupe', doc: 'Rows that are equal except for white space.', positional: [], args: {} },
  near: {
    family: 'dedupe',
    doc: 'Rows whose sets of three-word sequences overlap at least this much (Jaccard similarity, found by MinHash).',
    positional: ['similarity'],
    args: {
      similarity: defaulted(t.number({ min: 0.5, max: 1 }), 0.9, 'Smallest overlap of two duplicates.'),
    },
  },
} as const satisfies Record<string, FunctionSchema>;
