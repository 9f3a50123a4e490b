/** A revision as a commit with its files: from the lock, from the cache, or from the Hub, in this order. */
import { noUsableFiles, offlineMissing, usedFromCache } from '../diagnostics/catalogue/hub.js';
import { type Diagnostic, UserError } from '../diagnostics/types.js';
import type { HubFile, PinnedRepository } from '../ir/types.js';
import { INDEX_FILE, SINGLE_FILE } from '../models/safetensors/folder.js';
import type { Host } from '../source/host.js';
import { cachedCommit } from '../stages/hub-cache.js';
import { isCommit, type Repository } from '../stages/repositories.js';
import { keepListing, keptListing, snapshotListing, writeRef } from './cache.js';
import { askListing } from './listing.js';
import type { Access, Listing } from './types.js';

export interface ResolveOptions {
  readonly host: Host;
  readonly access: Access;
  /** What the lock says. */
  readonly commit?: string;
  /** Asks the Hub what the revision is now, also where a commit of it is known. */
  readonly fresh?: boolean;
  warn(diagnostic: Diagnostic): void;
}

/** Throws a `UserError`. */
export async function resolveListing(repository: Repository, options: ResolveOptions): Promise<Listing> {
  const { host, access } = options;
  const known = options.commit ?? (isCommit(repository.revision) ? repository.revision : undefined);
  if (known !== undefined) return listingOf(repository, known, options);
  if (access.offline) {
    const cached = cachedCommit(host, repository);
    if (cached === undefined) throw new UserError(offlineMissing(repository, []));
    return listingOf(repository, cached, options);
  }
  try {
    const listing = await askListing(access, repository);
    keepListing(host, repository, listing);
    writeRef(host, repository, listing.commit);
    return listing;
  } catch (error) {
    const cached = cachedCommit(host, repository);
    const isAway = error instanceof UserError && error.diagnostic.code === 'FTP1405';
    if (!isAway || options.fresh === true || cached === undefined) throw error;
    const listing = cacheListing(host, repository, cached);
    if (listing === undefined) throw error;
    options.warn(usedFromCache(repository, cached));
    return listing;
  }
}

async function listingOf(
  repository: Repository,
  commit: string,
  { host, access }: ResolveOptions,
): Promise<Listing> {
  const cached = cacheListing(host, repository, commit);
  if (cached !== undefined) return cached;
  if (access.offline) throw new UserError(offlineMissing(repository, []));
  const listing = await askListing(access, { ...repository, revision: commit });
  if (listing.commit !== commit)
    throw new UserError(
      noUsableFiles(repository, `no commit ${commit.slice(0, 12)}: it answers with another`),
    );
  keepListing(host, repository, listing);
  return listing;
}

/** A snapshot without a listing was fetched by another program: it counts where it holds all that a model needs. */
function cacheListing(host: Host, repository: Repository, commit: string): Listing | undefined {
  const kept = keptListing(host, repository, commit);
  if (kept !== undefined) return kept;
  const found = snapshotListing(host, repository, commit);
  const names = new Set(found?.files.map(({ name }) => name));
  const isWhole =
    repository.kind === 'model' &&
    names.has('config.json') &&
    names.has('tokenizer.json') &&
    (names.has(SINGLE_FILE) || names.has(INDEX_FILE));
  return isWhole ? found : undefined;
}

export const pinOf = (
  { kind, id, revision }: Repository,
  { commit }: Listing,
  files: readonly HubFile[],
  secret: string | undefined,
): PinnedRepository => ({
  kind,
  id,
  revision,
  commit,
  files: [...files].sort((a, b) => (a.name < b.name ? -1 : 1)),
  ...(secret === undefined ? {} : { secret }),
});
