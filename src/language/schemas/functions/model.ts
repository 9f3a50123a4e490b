import { defaulted, type FunctionSchema, optional, required, t } from '../schema.js';

/** The tokens are the base's: whatever reads, trains, merges or serves it names them once. */
const newTokens = {
  special_tokens: optional(
    t.list(t.filled, { min: 1 }),
    'Tokens that are added to the tokenizer, with a row each in embedding and head; those that it has are found.',
  ),
  added_tokens: optional(
    t.list(t.filled, { min: 1 }),
    'Tokens that are added in the same way and are no special ones: answers that are shown have them.',
  ),
} as const;

/** Where a model comes from. */
export const models = {
  starter: {
    family: 'model',
    doc: 'The small Llama that ships with ftpc, for trying things out and for tests.',
    positional: [],
    args: newTokens,
  },
  local: {
    family: 'model',
    doc: 'A folder in Hugging Face layout.',
    positional: ['folder'],
    args: {
      folder: required(t.modelFolder, 'Folder, relative to the pipeline file.'),
      ...newTokens,
    },
  },
  hf: {
    family: 'model',
    doc: 'A model of the Hugging Face Hub; `ftpc lock` pins the revision to a commit, and a run fetches what is missing.',
    positional: ['repository'],
    args: {
      repository: required(t.repository, 'Name on the Hub: `org/name`.'),
      revision: defaulted(t.revision, 'main', 'Branch, tag or commit.'),
      token: optional(t.secret, 'A `secret` that holds the access token, for private and gated models.'),
      ...newTokens,
    },
  },
  gguf: {
    family: 'model',
    doc: 'A GGUF file, as llama.cpp reads it; its weights stay quantised in memory.',
    positional: ['file'],
    args: { file: required(t.ggufFile, 'File, relative to the pipeline file.') },
  },
  untrained: {
    family: 'model',
    doc: 'Random weights in the shapes of a folder’s config.json, with its tokenizer, for training from scratch.',
    positional: ['folder'],
    args: {
      folder: required(
        t.modelFolder,
        'Folder with config.json and tokenizer, relative to the pipeline file.',
      ),
      seed: defaulted(t.integer({ min: 0 }), 17, 'Seed of the random weights.'),
      ...newTokens,
    },
  },
} as const satisfies Record<string, FunctionSchema>;

/** Where an adapter comes from. */
export const adapters = {
  peft: {
    family: 'adapter',
    doc: 'An adapter folder as PEFT saves it, to continue from, merge or evaluate.',
    positional: ['folder'],
    args: { folder: required(t.adapterFolder, 'Folder, relative to the pipeline file.') },
  },
  adapterhub: {
    family: 'adapter',
    doc: "A folder of bottleneck adapters as AdapterHub's `adapters` saves it, to continue from or evaluate.",
    positional: ['folder'],
    args: { folder: required(t.adapterFolder, 'Folder, relative to the pipeline file.') },
  },
} as const satisfies Record<string, FunctionSchema>;
