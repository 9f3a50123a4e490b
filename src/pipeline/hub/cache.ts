/** The cache as it is on the disk: blobs by their digest, snapshots of links to them, refs. Shared with huggingface_hub. */
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { makeFolders } from '../../language/host/node-folders.js';
import { removeOwn } from '../../language/host/own-files.js';
import { markOf } from '../../language/host/process-identity.js';
import type { HubFile, PinnedRepository } from '../../language/ir/program.js';
import type { Repository } from '../../language/schemas/repositories.js';
import { refPath, repositoryFolder, snapshotFolder } from '../stages/hub-repositories.js';
import { replaceFile, writing } from '../store/index.js';
import type { HubListing } from './access.js';
import { listingText, readListing } from './listing.js';
import { BLOB, IN_SNAPSHOT } from './own-names.js';

type RepositoryName = Pick<Repository, 'kind' | 'id'>;
type PinnedName = Pick<PinnedRepository, 'kind' | 'id' | 'commit'>;

export const blobPath = (host: Host, repository: RepositoryName, { sha256, blob }: HubFile): string =>
  join(repositoryFolder(host, repository), 'blobs', sha256 ?? blob ?? '');

/** Whether a file is there whole: a name appears only after its content, so that its size tells. */
export function isPresent(host: Host, pinned: PinnedName, file: HubFile): boolean {
  const stat = host.stat(join(snapshotFolder(host, pinned, pinned.commit), file.name));
  return stat !== undefined && !stat.isFolder && stat.size === file.bytes;
}

export const missingFiles = (host: Host, pinned: PinnedRepository): readonly HubFile[] =>
  pinned.files.filter((file) => !isPresent(host, pinned, file));

/** Shows a blob in its snapshot, by one rename. */
export function showBlob(host: Host, pinned: PinnedName, file: HubFile): void {
  const path = join(snapshotFolder(host, pinned, pinned.commit), file.name);
  const blob = blobPath(host, pinned, file);
  const temporary = join(dirname(path), `.${markOf()}.link`);
  writing(path, undefined, () => {
    makeFolders(dirname(path));
    link(relative(dirname(path), blob), blob, temporary);
    renameSync(temporary, path);
  });
}

/** A file that is not what its name says, here and as a blob: both are to be fetched again. */
export function removeFile(host: Host, pinned: PinnedName, file: HubFile): void {
  const path = join(snapshotFolder(host, pinned, pinned.commit), file.name);
  writing(path, undefined, () => {
    const blob = realpathSync(path);
    removeOwn(path, IN_SNAPSHOT);
    // a link may lead to a file of somebody's own
    if (basename(dirname(blob)) === 'blobs') removeOwn(blob, BLOB);
  });
}

/** A relative link, so that the cache may be moved; a copy where the file system has no links. */
function link(target: string, blob: string, path: string): void {
  try {
    symlinkSync(target, path);
  } catch (error) {
    if (!['EPERM', 'ENOSYS', 'EOPNOTSUPP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    copyFileSync(blob, path);
  }
}

export function writeRef(host: Host, repository: Repository, commit: string): void {
  const path = refPath(host, repository);
  if (existsSync(path) && readFileSync(path, 'utf8').trim() === commit) return;
  replaceFile(path, commit);
}

const listingPath = (host: Host, repository: RepositoryName, commit: string): string =>
  join(repositoryFolder(host, repository), 'ftpc', `${commit}.json`);

/** The files of a commit never change, so the Hub is asked for them once. */
export function keepListing(host: Host, repository: RepositoryName, listing: HubListing): void {
  replaceFile(listingPath(host, repository, listing.commit), listingText(listing));
}

/** `undefined` if none was kept, or it is damaged. */
export function keptListing(host: Host, repository: RepositoryName, commit: string): HubListing | undefined {
  const path = listingPath(host, repository, commit);
  if (host.stat(path)?.isFolder !== false) return undefined;
  try {
    const listing = readListing(host.readText(path), path);
    return listing.commit === commit ? listing : undefined;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** What another program fetched of a commit, file by file. */
export function snapshotListing(
  host: Host,
  repository: RepositoryName,
  commit: string,
): HubListing | undefined {
  const folder = snapshotFolder(host, repository, commit);
  if (host.stat(folder)?.isFolder !== true) return undefined;
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.flatMap((name): readonly HubFile[] => {
    const stat = host.stat(join(folder, name));
    return stat === undefined || stat.isFolder
      ? []
      : [{ name: name.replaceAll('\\', '/'), bytes: stat.size }];
  });
  return { commit, files };
}
