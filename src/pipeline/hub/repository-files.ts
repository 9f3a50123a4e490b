/**
 * Files of a model or a data set. A model's small ones are fetched to plan with, its weights by the stage that needs them;
 * small files of rows are fetched at once, since they have no SHA-256 until then.
 */
import { join } from 'node:path';
import { INDEX_FILE, SINGLE_FILE } from '../../compute/models/safetensors/read.js';
import { noUsableFiles } from '../../language/diagnostics/catalogue/hub.js';
import { UserError } from '../../language/diagnostics/types.js';
import { wildcard } from '../../language/host/wildcards.js';
import type { Call, HubFile, PinnedRepository } from '../../language/ir/program.js';
import type { Repository } from '../../language/schemas/repositories.js';
import {
  CARD,
  filesOfSplit,
  isReadable,
  isSmall,
  isUnread,
  snapshotFolder,
  wantedOf,
} from '../stages/hub-repositories.js';
import type { HubListing } from './access.js';
import { fetchFile } from './download.js';
import { type PinRequest, pinOf } from './resolve.js';

/** Longer ones are hardly cards. */
const MOST_CARD_BYTES = 5_000_000;

/** A configuration or tokenizer is never larger. */
const MOST_SMALL_BYTES = 500_000_000;

/** The files of a model, its small ones fetched. Throws a `UserError` or a `ModelError`. */
export async function pinModel(request: PinRequest): Promise<PinnedRepository> {
  const { host, access, repository, listing } = request;
  checkModel(repository, listing);
  const small = listing.files.filter(({ name }) => isSmall(name));
  const pinned = pinOf(request, small);
  for (const file of small) await fetchFile({ host, access, pinned, file });
  const folder = snapshotFolder(host, repository, listing.commit);
  const names = listing.files.map(({ name }) => name);
  const isWanted = wantedOf(names, (name) => host.readText(join(folder, name)));
  const files = listing.files.filter(({ name }) => isWanted(name));
  return pinOf(request, files);
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

/** The files that a call reads. Throws a `UserError` if there are none. */
export function filesOfCall(
  repository: Repository,
  { files }: HubListing,
  { args }: Call,
): readonly string[] {
  const names = files.map(({ name }) => name).sort();
  const pattern = typeof args['files'] === 'string' ? args['files'] : undefined;
  const split = typeof args['split'] === 'string' ? args['split'] : undefined;
  const asked = pattern === undefined ? undefined : names.filter(wildcard(pattern.replace(/^\.?\//, '')));
  const found = asked?.filter(isReadable) ?? filesOfSplit(names, split);
  if (found.length > 0) return found;
  const others = (asked ?? names).filter(isUnread);
  const sought =
    pattern !== undefined
      ? `file \`${pattern}\``
      : `file of ${split === undefined ? 'rows' : `the split \`${split}\``}`;
  const shown = others.slice(0, 5).map((name) => `\`${name}\``);
  const notes = shown.length === 0 ? [] : [`it has ${shown.join(', ')}`];
  throw new UserError(noUsableFiles(repository, `no ${sought} that can be read`, notes));
}

/** `calls` say which of the files are read. */
export async function pinDataSet(request: PinRequest, calls: readonly Call[]): Promise<PinnedRepository> {
  const { host, access, repository, listing } = request;
  const names = new Set(calls.flatMap((call) => filesOfCall(repository, listing, call)));
  const files = listing.files.filter(({ name }) => names.has(name));
  const pinned = pinOf(request, files);
  // the card says the licence
  const card = listing.files.filter(({ name, bytes }) => name === CARD && bytes <= MOST_CARD_BYTES);
  for (const file of [...files, ...card])
    if (file.sha256 === undefined) await fetchFile({ host, access, pinned, file });
  return pinned;
}
