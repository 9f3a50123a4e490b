import { join } from 'node:path';

/** Nobody listens there. */
export const NOBODY = 'http://127.0.0.1:9';

/** Variables that every example sees: a user without a cache, and without a network. */
export const bareEnvironment = (folder: string): Readonly<Record<string, string>> => ({
  HF_ENDPOINT: NOBODY,
  HF_HOME: join(folder, 'hf'),
  HF_HUB_OFFLINE: '',
  HF_HUB_CACHE: '',
  HUGGINGFACE_HUB_CACHE: '',
  HF_TOKEN: '',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.org',
  FTPC_PYTHON: '',
  XDG_CACHE_HOME: join(folder, 'cache'),
});
