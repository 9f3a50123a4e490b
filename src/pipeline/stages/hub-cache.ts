/** Where the standard cache keeps what was fetched from a model hub, so that transformers and ftpc share it. */
import { join, resolve } from 'node:path';
import { homeOf } from '../../language/host/home.js';
import type { Host } from '../../language/host/host.js';
import { isCommit, type Repository } from '../../language/schemas/repositories.js';

/** Where the Hub's own library keeps its cache: `HF_HUB_CACHE`, or `hub` in `HF_HOME`, or `~/.cache/huggingface/hub`. */
function cacheFolder(host: Pick<Host, 'env' | 'cwd'>): string {
  const set = (name: string): string | undefined => host.env(name) || undefined;
  const home = set('HF_HOME') ?? join(set('XDG_CACHE_HOME') ?? join(homeOf(host), '.cache'), 'huggingface');
  const folder = set('HF_HUB_CACHE') ?? set('HUGGINGFACE_HUB_CACHE') ?? join(home, 'hub');
  return folder.startsWith('~/') ? join(homeOf(host), folder.slice(2)) : resolve(host.cwd, folder);
}

/** `models--org--name` in the cache. */
export const repositoryFolder = (
  host: Pick<Host, 'env' | 'cwd'>,
  { kind, id }: Pick<Repository, 'kind' | 'id'>,
): string => join(cacheFolder(host), [`${kind}s`, ...id.split('/')].join('--'));

export const snapshotFolder = (
  host: Pick<Host, 'env' | 'cwd'>,
  repository: Pick<Repository, 'kind' | 'id'>,
  commit: string,
): string => join(repositoryFolder(host, repository), 'snapshots', commit);

export const refPath = (host: Pick<Host, 'env' | 'cwd'>, repository: Repository): string =>
  join(repositoryFolder(host, repository), 'refs', repository.revision);

/** The commit that a revision stood for when it was last fetched. */
export function cachedCommit(host: Host, repository: Repository): string | undefined {
  if (isCommit(repository.revision)) return repository.revision;
  const path = refPath(host, repository);
  if (host.stat(path)?.isFolder !== false) return undefined;
  const text = host.readText(path).trim();
  return isCommit(text) ? text : undefined;
}
