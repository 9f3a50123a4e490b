/**
 * Where the standard cache keeps what was fetched from a model hub, so that transformers and ftpc share it, and which files
 * of a repository are read: a model's config, tokenizer, licence and safetensors; a data set's rows. Nothing is unpickled.
 */
import { join, resolve } from 'node:path';
import { COMPANION } from '../../compute/models/load.js';
import { INDEX_FILE, SINGLE_FILE, shardsIn } from '../../compute/models/safetensors/read.js';
import { type Host, homeOf } from '../../language/host/host.js';
import { isCommit, type Repository } from '../../language/schemas/repositories.js';

/** Where the Hub's own library keeps its cache: `HF_HUB_CACHE`, or `hub` in `HF_HOME`, or `~/.cache/huggingface/hub`. */
export function cacheFolder(host: Pick<Host, 'env' | 'cwd'>): string {
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

const CONFIG = 'config.json';
export const CARD = 'README.md';

export const isSmall = (name: string): boolean =>
  name === CONFIG || name === CARD || name === INDEX_FILE || COMPANION.test(name);

/**
 * Tells the files of a model from the rest of its repository. The weights are one file, or the shards that the index
 * names; `read` gives the index. Throws a `ModelError` for an invalid index.
 */
export function wantedOf(
  names: readonly string[],
  read: (name: string) => string,
): (name: string) => boolean {
  const single = names.includes(SINGLE_FILE);
  const shards =
    single || !names.includes(INDEX_FILE) ? new Set<string>() : shardsIn(INDEX_FILE, read(INDEX_FILE));
  return (name) =>
    name === SINGLE_FILE || shards.has(name) || (isSmall(name) && (name !== INDEX_FILE || !single));
}

/** Endings of files of rows, by what reads them; of a data set that has several kinds, the first is read. */
const READERS = {
  jsonl: /\.jsonl(?:\.(?:gz|zst))?$/i,
  parquet: /\.parquet$/i,
  csv: /\.csv(?:\.(?:gz|zst))?$/i,
  json: /\.json(?:\.(?:gz|zst))?$/i,
} as const;

type HubFormat = keyof typeof READERS;

const FORMATS = Object.keys(READERS) as readonly HubFormat[];

/** Files that describe a data set, and hold no rows of it. */
const ABOUT = /(?:^|\/)(?:dataset_infos?|dataset_dict|state|config|metadata)\.json$/i;
/** Files of rows that this version has no reader for. */
const UNREAD = /\.(?:tsv|arrow|txt)(?:\.\w+)?$|\.(?:jsonl?|csv)\.\w+$/i;

/** What reads a file; `undefined` if nothing does. */
export const formatOfFile = (name: string): HubFormat | undefined =>
  ABOUT.test(name) ? undefined : FORMATS.find((format) => READERS[format].test(name));

export const isReadable = (name: string): boolean => formatOfFile(name) !== undefined;
export const isUnread = (name: string): boolean => UNREAD.test(name) && !isReadable(name);

/** Whether a path names a split, as the Hub's own library looks for it: a word of its own in a file's or folder's name. */
const namesSplit = (name: string, split: string): boolean =>
  name
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .includes(split.toLowerCase());

/** Any split that a path may name. */
const SPLITS = ['train', 'training', 'test', 'testing', 'valid', 'validation', 'val', 'dev', 'eval'];

/** The files of a split; without one those for training, or all if none is named after a split. */
export function filesOfSplit(names: readonly string[], split: string | undefined): readonly string[] {
  const kinds = FORMATS.map((format) => names.filter((name) => formatOfFile(name) === format));
  return kinds.map((rows) => rowsOfSplit(rows, split)).find((rows) => rows.length > 0) ?? [];
}

function rowsOfSplit(rows: readonly string[], split: string | undefined): readonly string[] {
  const named = rows.filter((name) => namesSplit(name, split ?? 'train'));
  if (split !== undefined || named.length > 0) return named;
  return rows.filter((name) => !SPLITS.some((other) => namesSplit(name, other)));
}
