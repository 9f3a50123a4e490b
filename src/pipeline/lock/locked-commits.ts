import type { Host } from '../../language/host/host.js';
import { type Lock, lockPath } from '../../language/schemas/lock-file.js';
import type { Repository } from '../../language/schemas/repositories.js';
import { openLock } from './read-lock.js';

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

/** The commits of the lock next to a pipeline; none if there is no lock, or one that cannot be used. */
export function lockedCommits(host: Host, pipeline: string): (repository: Repository) => string | undefined {
  const lock = openLock(host, lockPath(pipeline));
  const usable = lock === undefined || 'code' in lock ? undefined : lock;
  return (repository) => lockedCommit(usable, repository);
}
