import type { Repository } from '../stages/repositories.js';
import type { Lock } from './types.js';

const FUNCTION = { model: 'hf', dataset: 'hub' } as const;

/** The key of a repository in a lock. */
export const repositoryKey = ({ kind, id, revision }: Repository): string =>
  `${FUNCTION[kind]} ${id}@${revision}`;

/** The commit that a lock has for a repository. */
export function lockedCommit(lock: Lock | undefined, repository: Repository): string | undefined {
  const section = repository.kind === 'model' ? lock?.models : lock?.data;
  const key = repositoryKey(repository);
  return section !== undefined && Object.hasOwn(section, key) ? section[key]?.commit : undefined;
}
