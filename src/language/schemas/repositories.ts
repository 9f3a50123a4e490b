/** Repositories of a model hub: what may be their names, and which calls name them. */
import type { Call } from '../ir/program.js';
import { lookUp } from '../source/look-up.js';

type RepositoryKind = 'model' | 'dataset';

export interface Repository {
  readonly kind: RepositoryKind;
  /** `org/name`, or `name` alone for a few old ones. */
  readonly id: string;
  /** Branch, tag or commit, as asked for. */
  readonly revision: string;
}

/** The rule of huggingface_hub (`validate_repo_id`): one slash at most, no `--` and no `..`, 96 characters at most. */
export const isRepositoryId = (id: string): boolean =>
  id.length <= 96 &&
  /^(?:[A-Za-z0-9_](?:[\w.-]*[A-Za-z0-9_])?\/)?[A-Za-z0-9_](?:[\w.-]*[A-Za-z0-9_])?$/.test(id) &&
  !/--|\.\.|\.git$/.test(id);

/** Names that Git takes for a branch or tag, and no path that leaves a folder. */
export const isRevision = (revision: string): boolean =>
  revision.length <= 200 &&
  /^[A-Za-z0-9_][\w.+/-]*$/.test(revision) &&
  !/\.\.|\/\/|\/\.|\.lock$|[./]$/.test(revision);

export const isCommit = (text: unknown): text is string =>
  typeof text === 'string' && /^[0-9a-f]{40}$/.test(text);

/** A file's name in a repository that may become a path below a folder of ours. */
export const isSafeName = (name: unknown): name is string =>
  typeof name === 'string' &&
  name.length <= 1000 &&
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a server may send them, and no file name needs them
  !/[\u0000-\u001f\u007f\\]/.test(name) &&
  name.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && part.length <= 255) &&
  !/^[A-Za-z]:/.test(name);

/** Calls that name a repository, by function. */
const KINDS: Readonly<Record<string, RepositoryKind>> = { hf: 'model', hub: 'dataset' };

/** The repository that a call names; `undefined` for every other function. */
export function repositoryOf({ call, args }: Call): Repository | undefined {
  const kind = lookUp(KINDS, call);
  if (kind === undefined) return undefined;
  return { kind, id: String(args['repository']), revision: String(args['revision']) };
}

/** The commit that a call was pinned to; `undefined` before that. */
export const pinnedCommit = ({ args }: Call): string | undefined =>
  isCommit(args['commit']) ? args['commit'] : undefined;

/** Files of a data set that a pinned call reads. */
export const pinnedFiles = ({ args }: Call): readonly string[] =>
  Array.isArray(args['found']) ? args['found'].filter(isSafeName) : [];
