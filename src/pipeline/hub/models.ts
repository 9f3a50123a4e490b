/** A model's files: the small ones are fetched to plan with, the weights by the stage that needs them. */
import { join } from 'node:path';
import { INDEX_FILE, SINGLE_FILE } from '../../compute/models/safetensors/folder.js';
import { noUsableFiles } from '../../language/diagnostics/catalogue/hub.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { HubFile, PinnedRepository } from '../../language/ir/program.js';
import type { Repository } from '../../language/schemas/repositories.js';
import { isSmall, snapshotFolder, wantedOf } from '../stages/hub-repositories.js';
import { fetchFile } from './download.js';
import { pinOf } from './resolve.js';
import type { HubAccess, HubListing } from './types.js';

/** A configuration or tokenizer is never larger. */
const MOST_SMALL_BYTES = 500_000_000;

/** The files of a model, its small ones fetched. Throws a `UserError` or a `ModelError`. */
export async function pinModel(
  host: Host,
  access: HubAccess,
  repository: Repository,
  listing: HubListing,
  secret: string | undefined,
): Promise<PinnedRepository> {
  checkModel(repository, listing);
  const small = listing.files.filter(({ name }) => isSmall(name));
  const pinned = pinOf(repository, listing, small, secret);
  for (const file of small) await fetchFile(host, access, pinned, file);
  const folder = snapshotFolder(host, repository, listing.commit);
  const isWanted = wantedOf(
    listing.files.map(({ name }) => name),
    (name) => host.readText(join(folder, name)),
  );
  return pinOf(
    repository,
    listing,
    listing.files.filter(({ name }) => isWanted(name)),
    secret,
  );
}

function checkModel(repository: Repository, { files }: HubListing): void {
  const has = (name: string): boolean => files.some((file) => file.name === name);
  const fail = (lacking: string, notes?: readonly string[]): never => {
    throw new UserError(noUsableFiles(repository, lacking, notes));
  };
  if (!has('config.json')) fail('no `config.json`');
  if (!has(SINGLE_FILE) && !has(INDEX_FILE)) fail('no safetensors weights', pickles(files));
  const large = files.find(({ name, bytes }) => isSmall(name) && bytes > MOST_SMALL_BYTES);
  if (large !== undefined) fail(`a \`${large.name}\` of ${large.bytes} bytes`);
}

/** Weights that would have to be unpickled, which runs what is in them. */
const pickles = (files: readonly HubFile[]): readonly string[] =>
  files.some(({ name }) => /\.(?:bin|pt|pth|ckpt)$/.test(name))
    ? ['it has pickled weights (`.bin`, `.pt`), which ftpc never opens: unpickling runs code']
    : [];
