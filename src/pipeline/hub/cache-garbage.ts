/** What ftpc fetched from a hub and nobody uses any more. The cache is shared with other programs: what they fetched stays. */
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { sealsPath } from '../../compute/packaging/snapshot-seals.js';
import type { Host } from '../../language/host/host.js';
import type { PinnedRepository } from '../../language/ir/program.js';
import { cacheFolder, repositoryFolder } from '../stages/hub-repositories.js';
import { sizeOf, writing } from '../store/index.js';
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
  const cache = cacheFolder(host);
  return namesIn(cache).flatMap((repository) => {
    const folder = join(cache, repository);
    const unused = namesIn(join(folder, LISTS))
      .map((name) => basename(name, '.json'))
      .filter((commit) => !named.has(commit) && now - usedAt(folder, commit) > UNUSED * 86_400_000);
    const shared = blobsOf(folder, (commit) => !unused.includes(commit));
    const gone = new Set<string>();
    const halves = namesIn(join(folder, 'blobs'))
      .filter(
        (name) =>
          name.includes('.ftpc-') &&
          isLeft(join(folder, 'blobs', name), name.slice(name.indexOf('.ftpc-') + 6), now),
      )
      .map((name) => join(folder, 'blobs', name));
    const commits = unused.map((commit): UnusedCommit => {
      const own = [...blobsOf(folder, (other) => other === commit)].filter(
        (blob) => !shared.has(blob) && !gone.has(blob),
      );
      for (const blob of own) gone.add(blob);
      const blobs = own.map((blob) => join(folder, 'blobs', blob));
      const paths = [
        ...refsTo(folder, commit),
        join(folder, LISTS, `${commit}.json`),
        join(folder, 'snapshots', commit),
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

/** What refers to a commit goes before its files do. */
export function removeCommit({ paths }: UnusedCommit): void {
  for (const path of paths) writing(path, undefined, () => rmSync(path, { recursive: true, force: true }));
}

const usedAt = (folder: string, commit: string): number =>
  statSync(join(folder, LISTS, `${commit}.json`), { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Names of the blobs that the snapshots of some commits link to. */
function blobsOf(folder: string, isMeant: (commit: string) => boolean): ReadonlySet<string> {
  const walk = (path: string): readonly string[] =>
    namesIn(path).flatMap((name) => {
      const inner = join(path, name);
      const stat = lstatSync(inner, { throwIfNoEntry: false });
      if (stat?.isSymbolicLink() === true) return [basename(readlinkSync(inner))];
      return stat?.isDirectory() === true ? walk(inner) : [];
    });
  const snapshots = join(folder, 'snapshots');
  return new Set(
    namesIn(snapshots)
      .filter(isMeant)
      .flatMap((commit) => walk(join(snapshots, commit))),
  );
}

/** Files that say which commit a branch or tag is. */
function refsTo(folder: string, commit: string): readonly string[] {
  const walk = (path: string): readonly string[] =>
    namesIn(path).flatMap((name) => {
      const inner = join(path, name);
      if (statSync(inner, { throwIfNoEntry: false })?.isDirectory() === true) return walk(inner);
      return readFileSync(inner, 'utf8').trim() === commit ? [inner] : [];
    });
  return walk(join(folder, 'refs'));
}

const namesIn = (path: string): readonly string[] =>
  existsSync(path) && statSync(path).isDirectory() ? readdirSync(path).sort() : [];
