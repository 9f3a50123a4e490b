import type { Lock } from '../../language/schemas/lock-file.js';
import type { Repository } from '../../language/schemas/repositories.js';

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
