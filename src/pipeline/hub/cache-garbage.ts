/** What ftpc fetched from a hub and nobody uses any more. The cache is shared with other programs: what they fetched stays. */
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { sealsPath } from '../../compute/packaging/snapshot-seals.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { isOwn, kindOf, type OwnForm, removeEmpty, removeOwn } from '../../language/host/own-files.js';
import type { PinnedRepository } from '../../language/ir/program.js';
import { cacheFolder, repositoryFolder } from '../stages/hub-repositories.js';
import { sizeOf, writing } from '../store/index.js';
import { readListing } from './listing.js';
import { BLOB, HALF, IN_SNAPSHOT, OF_COMMIT, REF } from './own-names.js';
import { isLeft } from './partial.js';

/** Days without a run that reads it, after which a commit may go. */
const UNUSED = 30;

export interface UnusedCommit {
  /** `models--org--name`. */
  readonly repository: string;
  readonly commit: string;
  /** Of its files that no other commit has. */
  readonly bytes: number;
  readonly paths: readonly string[];
}

/** Folder in a repository's folder that only ftpc makes: the lists of files of the commits that it fetched. */
const LISTS = 'ftpc';

/** A run reads these: the lists say by their time when they were last used. */
export function noteUse(host: Host, repositories: readonly PinnedRepository[]): void {
  for (const repository of repositories) {
    const path = join(repositoryFolder(host, repository), LISTS, `${repository.commit}.json`);
    try {
      utimesSync(path, new Date(), new Date());
    } catch {
      // none was kept, or the cache may only be read
    }
  }
}

/** Commits that no run has used for long and that none of `named` is, and halves of files that nobody goes on with. */
export function unusedCommits(host: Host, named: ReadonlySet<string>, now: number): readonly UnusedCommit[] {
  const cache = realCache(host);
  return namesIn(cache).flatMap((repository) => {
    const folder = join(cache, repository);
    const unused = namesIn(join(folder, LISTS))
      .filter((name) => isOwn(join(folder, LISTS, name), OF_COMMIT, cache))
      .map((name) => basename(name, '.json'))
      .filter((commit) => !named.has(commit) && now - usedAt(folder, commit) > UNUSED * 86_400_000);
    const files = new Map(unused.map((commit) => [commit, shown(folder, commit)]));
    const shared = blobsOf(folder, new Set([...files.values()].flat()));
    const gone = new Set<string>();
    const halves = namesIn(join(folder, 'blobs'))
      .map((name) => join(folder, 'blobs', name))
      .filter((path) => {
        const [, owner] = HALF.name.exec(basename(path)) ?? [];
        return owner !== undefined && isOwn(path, HALF, cache) && isLeft(path, owner, now);
      });
    const commits = [...files].map(([commit, shownFiles]): UnusedCommit => {
      const linked = new Set(shownFiles.flatMap((path) => blobOf(path) ?? []));
      const own = [...linked].filter((blob) => !shared.has(blob) && !gone.has(blob));
      for (const blob of own) gone.add(blob);
      const blobs = own.map((blob) => join(folder, 'blobs', blob));
      const paths = [
        ...refsTo(folder, commit),
        join(folder, LISTS, `${commit}.json`),
        ...shownFiles,
        sealsPath(join(folder, 'snapshots', commit)),
        ...blobs,
      ];
      return { repository, commit, bytes: paths.reduce((sum, path) => sum + sizeOf(path), 0), paths };
    });
    return halves.length === 0
      ? commits
      : [
          ...commits,
          {
            repository,
            commit: 'unfinished',
            bytes: halves.reduce((sum, path) => sum + sizeOf(path), 0),
            paths: halves,
          },
        ];
  });
}

/** What refers to a commit goes before its files do. Throws a `UserError` if the disk refuses. */
export function removeCommit(host: Host, { repository, commit, paths }: UnusedCommit): void {
  const cache = realCache(host);
  const folder = join(cache, repository);
  const snapshot = join(folder, 'snapshots', commit);
  for (const path of paths) {
    const forms = FORMS[relative(folder, path).split(/[\\/]/)[0] ?? ''] ?? [];
    writing(path, undefined, () => forms.some((form) => removeOwn(path, form, cache)));
    for (let emptied = dirname(path); emptied.startsWith(snapshot); emptied = dirname(emptied))
      removeEmpty(emptied);
  }
}

/** By the folder of a repository. */
const FORMS: Readonly<Record<string, readonly OwnForm[]>> = {
  refs: [REF],
  [LISTS]: [OF_COMMIT],
  snapshots: [IN_SNAPSHOT],
  'ftpc-sealed': [OF_COMMIT],
  blobs: [BLOB, HALF],
};

/** Files of a snapshot that its list names and that lead to a blob of the cache, or are copies of one. */
function shown(folder: string, commit: string): readonly string[] {
  const list = join(folder, LISTS, `${commit}.json`);
  try {
    return readListing(readFileSync(list, 'utf8'), list)
      .files.map(({ name, bytes }) => ({ path: join(folder, 'snapshots', commit, name), bytes }))
      .filter(({ path, bytes }) => {
        const stat = lstatSync(path, { throwIfNoEntry: false });
        if (stat?.isSymbolicLink() !== true) return stat?.isFile() === true && stat.size === bytes;
        return dirname(resolve(dirname(path), readlinkSync(path))) === join(folder, 'blobs');
      })
      .map(({ path }) => path);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [];
  }
}

const usedAt = (folder: string, commit: string): number =>
  statSync(join(folder, LISTS, `${commit}.json`), { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** The name of the blob that a link leads to. */
const blobOf = (path: string): string | undefined =>
  lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
    ? basename(readlinkSync(path))
    : undefined;

/** Names of the blobs that snapshots link to, but for some links. */
function blobsOf(folder: string, except: ReadonlySet<string>): ReadonlySet<string> {
  const walk = (path: string): readonly string[] =>
    namesIn(path).flatMap((name) => {
      const inner = join(path, name);
      return except.has(inner) ? [] : (blobOf(inner) ?? walk(inner));
    });
  return new Set(walk(join(folder, 'snapshots')));
}

/** Files that say which commit a branch or tag is. */
function refsTo(folder: string, commit: string): readonly string[] {
  const walk = (path: string): readonly string[] =>
    namesIn(path).flatMap((name) => {
      const inner = join(path, name);
      if (kindOf(inner) !== 'file') return walk(inner);
      return readFileSync(inner, 'utf8').trim() === commit ? [inner] : [];
    });
  return walk(join(folder, 'refs'));
}

/** The cache may be a link itself. */
const realCache = (host: Host): string => {
  const folder = cacheFolder(host);
  return existsSync(folder) ? realpathSync(folder) : folder;
};

/** Of a folder that is no link; none of what is something else. */
const namesIn = (path: string): readonly string[] =>
  kindOf(path) === 'folder' ? readdirSync(path).sort() : [];
