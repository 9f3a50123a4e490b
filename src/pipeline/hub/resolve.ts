/** A revision as a commit with its files: from the lock, from the cache, or from the Hub, in this order. */
import { join } from 'node:path';
import { INDEX_FILE, SINGLE_FILE, shardsIn } from '../../compute/models/safetensors/read.js';
import { ModelError } from '../../compute/models/types.js';
import { noUsableFiles, offlineMissing, usedFromCache } from '../../language/diagnostics/catalogue/hub.js';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import { type Host, HostError } from '../../language/host/host.js';
import type { HubFile, PinnedRepository } from '../../language/ir/program.js';
import { isCommit, type Repository } from '../../language/schemas/repositories.js';
import { cachedCommit, snapshotFolder } from '../stages/hub-repositories.js';
import type { HubAccess, HubListing } from './access.js';
import { keepListing, keptListing, snapshotListing, writeRef } from './cache.js';
import { askListing } from './listing.js';

interface ResolveOptions {
  readonly host: Host;
  readonly access: HubAccess;
  /** What the lock says. */
  readonly commit?: string;
  /** Asks the Hub what the revision is now, also where a commit of it is known. */
  readonly fresh?: boolean;
  warn(diagnostic: Diagnostic): void;
}

/** Codes of a Hub that says nothing now: it is not reached, or asks to be left alone. */
const AWAY: ReadonlySet<string> = new Set(['FTP1405', 'FTP1417']);

/** Throws a `UserError`. */
export async function resolveListing(repository: Repository, options: ResolveOptions): Promise<HubListing> {
  const { host, access } = options;
  const known = options.commit ?? (isCommit(repository.revision) ? repository.revision : undefined);
  const kept = known === undefined ? undefined : keptListing(host, repository, known);
  if (kept !== undefined) return kept;
  if (access.offline) {
    const cached = cachedListing(host, repository, known);
    if (cached === undefined) throw new UserError(offlineMissing(repository, []));
    return cached;
  }
  try {
    return await hubListing(access, host, repository, known);
  } catch (error) {
    const isAway = error instanceof UserError && AWAY.has(error.diagnostic.code);
    if (!isAway || options.fresh === true) throw error;
    const listing = cachedListing(host, repository, known);
    if (listing === undefined) throw error;
    options.warn(usedFromCache(repository, listing.commit));
    return listing;
  }
}

/** Asks for a revision, or for the files of a commit, which never change and so are kept. */
async function hubListing(
  access: HubAccess,
  host: Host,
  repository: Repository,
  commit: string | undefined,
): Promise<HubListing> {
  const listing = await askListing(access, { ...repository, revision: commit ?? repository.revision });
  if (commit !== undefined && listing.commit !== commit)
    throw new UserError(
      noUsableFiles(repository, `no commit ${commit.slice(0, 12)}: it answers with another`),
    );
  keepListing(host, repository, listing);
  if (commit === undefined) writeRef(host, repository, listing.commit);
  return listing;
}

/**
 * What the cache knows of a commit, or of the one that it has for the revision. A snapshot without a listing was
 * fetched by another program: it counts where nobody can be asked and it holds all that a model needs.
 */
function cachedListing(host: Host, repository: Repository, known?: string): HubListing | undefined {
  const commit = known ?? cachedCommit(host, repository);
  if (commit === undefined) return undefined;
  const kept = keptListing(host, repository, commit);
  if (kept !== undefined) return kept;
  const found = snapshotListing(host, repository, commit);
  const names = new Set(found?.files.map(({ name }) => name));
  const isModel = repository.kind === 'model' && names.has('config.json') && names.has('tokenizer.json');
  return isModel && hasWeights(host, snapshotFolder(host, repository, commit), names) ? found : undefined;
}

function hasWeights(host: Host, folder: string, names: ReadonlySet<string>): boolean {
  if (names.has(SINGLE_FILE)) return true;
  if (!names.has(INDEX_FILE)) return false;
  try {
    const shards = shardsIn(INDEX_FILE, host.readText(join(folder, INDEX_FILE)));
    return [...shards].every((name) => names.has(name));
  } catch (error) {
    if (error instanceof ModelError || error instanceof HostError) return false;
    throw error;
  }
}

export interface PinRequest {
  readonly host: Host;
  readonly access: HubAccess;
  readonly repository: Repository;
  readonly listing: HubListing;
  /** The environment variable that opens the repository. */
  readonly secret: string | undefined;
}

export const pinOf = (
  { repository: { kind, id, revision }, listing, secret }: PinRequest,
  files: readonly HubFile[],
): PinnedRepository => ({
  kind,
  id,
  revision,
  commit: listing.commit,
  files: [...files].sort((a, b) => (a.name < b.name ? -1 : 1)),
  ...(secret === undefined ? {} : { secret }),
});
