import { defaulted, type FunctionSchema, optional, required, t } from '../schema.js';

/** Where a release is published. */
export const targets = {
  directory: {
    family: 'target',
    doc: 'A folder with a numbered folder for each release, and `current`.',
    positional: ['path'],
    args: { path: required(t.filled, 'Folder, relative to the working directory.') },
  },
  /** `hub` is a source of rows, too. */
  hub_release: {
    family: 'target',
    spelling: 'hub',
    doc: 'A model repository of the Hugging Face Hub: each release is a commit, with a model card. The environment variable `HF_ENDPOINT` names another server.',
    positional: ['repository'],
    args: {
      repository: required(t.repository, 'Name on the Hub: `org/name`. It is created if it is not there.'),
      private: defaulted(
        t.boolean,
        true,
        'Whether a repository that is created can be seen by its owners alone; one that is there stays as it is.',
      ),
      branch: defaulted(t.revision, 'main', 'Branch that gets the commit.'),
      token: optional(
        t.secret,
        'A `secret` that holds an access token with the right to write. Default: the only secret of the file.',
      ),
    },
  },
  ollama: {
    family: 'target',
    doc: 'A model of the Ollama server that the environment variable `OLLAMA_HOST` names, or else of the one on this machine.',
    positional: ['name'],
    args: { name: required(t.filled, 'Name that the model gets: `name` or `name:tag`.') },
  },
} as const satisfies Record<string, FunctionSchema>;
