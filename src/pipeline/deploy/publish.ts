import { dirname } from 'node:path';
import {
  digestFiles,
  filesBelow,
  MANIFEST,
  manifestText,
  type ReleaseManifest,
  releaseDigest,
} from '../../compute/packaging/manifest.js';
import { DiskError } from '../../language/host/disk.js';
import type { OwnForm } from '../../language/host/own-files.js';
import type { SealedFiles } from '../../language/host/sealed-file.js';
import { readCanary } from './canary.js';
import { makeCanary, makeCurrent } from './history.js';
import { changedWhileCopied, writing } from './release-diagnostics.js';
import {
  currentRelease,
  damages,
  listReleases,
  type Release,
  type ReleaseAccess,
  releaseName,
} from './releases.js';

/** What a manifest says that is known before the release has a number. */
export type ManifestDraft = Omit<
  ReleaseManifest,
  'version' | 'release' | 'digest' | 'created' | 'smoke' | 'files'
>;

/** Texts, and files that are somewhere else, by their names in the release. */
export type AddedFiles = Readonly<Record<string, string | { readonly path: string }>>;

export interface PublishRequest {
  /** Absolute folder of the releases. */
  readonly folder: string;
  /** Absolute folder whose files are published. */
  readonly source: string;
  readonly draft: ManifestDraft;
  /**
   * The release gets this share of the requests, above 0 and below 1, next to the current one. Where none is current, it becomes
   * current.
   */
  readonly canary?: number;
  /** Files that are released with those of `source`, by name: how the release is served. They tell no release from another. */
  readonly added?: AddedFiles;
  /** Loads the release from its own folder and asks it something; throws if it does not answer. */
  readonly smoke: (release: string) => Promise<ReleaseManifest['smoke']>;
}

export interface PublishedRelease {
  readonly number: number;
  /** Absolute folder. */
  readonly path: string;
  /** `unchanged`: it was there and current already. */
  readonly action: 'publish' | 'again' | 'unchanged';
  readonly digest: string;
  /** `current`, or `canary` where it gets a share of the requests. */
  readonly role: 'current' | 'canary';
}

/**
 * Publishes a folder as the next release and makes it current, or the canary, once it has answered. Content that is a
 * release already is not published twice. A kill or a full disk at any moment leaves the old state or the new one; what
 * is left over goes with the next call. Throws a `UserError`.
 */
export async function publish(access: ReleaseAccess, request: PublishRequest): Promise<PublishedRelease> {
  const { host, disk } = access;
  const { folder, source, draft } = request;
  writing(() => {
    disk.makeFolder(folder);
    sweepLeftovers(access, folder);
  });
  const names = filesBelow(host, source).filter((name) => name !== MANIFEST);
  const files = digestFiles(host, source, names);
  const digest = releaseDigest(draft.kind, files, draft.base.sha256);

  const known = listReleases(access, folder).find(
    (release) => release.manifest?.digest === digest && damages(access, release).length === 0,
  );
  if (known !== undefined) return again(access, request, known, digest);

  const temporary = publishingFolder(access, folder);
  try {
    const all = fill(access, temporary, request, files);
    const smoke = await request.smoke(temporary);
    const created = new Date(host.now()).toISOString();
    const manifest = { digest, created, smoke, ...draft, files: all };
    const number = writing(() =>
      place(access, folder, temporary, (release) => ({ version: 1, release, ...manifest })),
    );
    const role = giveRole(access, request, { action: 'publish', release: number, digest });
    return { number, path: `${folder}/${releaseName(number)}`, action: 'publish', digest, role };
  } catch (error) {
    try {
      disk.remove(temporary, PUBLISHING);
    } catch {
      // The disk that refused to write refuses this too; the next call removes it.
    }
    throw error;
  }
}

/** Copies what is published into a folder and adds what is added; the digests of all files there. */
function fill(
  { host, disk }: ReleaseAccess,
  temporary: string,
  { source, added = {} }: PublishRequest,
  files: SealedFiles,
): SealedFiles {
  const names = Object.keys(files);
  writing(() => {
    disk.makeFolder(temporary);
    for (const name of names) disk.copy(`${source}/${name}`, `${temporary}/${name}`);
    for (const [name, content] of Object.entries(added)) {
      disk.makeFolder(dirname(`${temporary}/${name}`));
      if (typeof content === 'string') disk.write(`${temporary}/${name}`, content);
      else disk.copy(content.path, `${temporary}/${name}`);
    }
  });
  const copied = digestFiles(host, temporary, names);
  for (const name of names)
    if (copied[name]?.sha256 !== files[name]?.sha256) throw changedWhileCopied(`${source}/${name}`);
  return { ...files, ...digestFiles(host, temporary, Object.keys(added).sort()) };
}

/** Writes the manifest and renames the folder to the next free number; another process may take one first. */
function place(
  access: ReleaseAccess,
  folder: string,
  temporary: string,
  manifest: (number: number) => ReleaseManifest,
): number {
  const { disk } = access;
  let number = Math.max(0, ...listReleases(access, folder).map((release) => release.number)) + 1;
  for (;;) {
    disk.write(`${temporary}/${MANIFEST}`, manifestText(manifest(number)));
    try {
      disk.rename(temporary, `${folder}/${releaseName(number)}`);
      return number;
    } catch (error) {
      if (!(error instanceof DiskError) || error.code !== 'exists') throw error;
      number++;
    }
  }
}

async function again(
  access: ReleaseAccess,
  request: PublishRequest,
  known: Release,
  digest: string,
): Promise<PublishedRelease> {
  const { number, path, current } = known;
  if (current) return { number, path, action: 'unchanged', digest, role: 'current' };
  const canary = readCanary(access, request.folder);
  if (canary?.release === number && canary.share === request.canary)
    return { number, path, action: 'unchanged', digest, role: 'canary' };
  await request.smoke(path);
  const role = giveRole(access, request, { action: 'again', release: number, digest });
  return { number, path, action: 'again', digest, role };
}

/** Makes a release what was asked for: current, or the canary next to the one that is. */
function giveRole(
  access: ReleaseAccess,
  { folder, canary }: PublishRequest,
  placed: Parameters<typeof makeCurrent>[2],
): PublishedRelease['role'] {
  if (canary === undefined || currentRelease(access, folder) === undefined) {
    makeCurrent(access, folder, placed);
    return 'current';
  }
  makeCanary(access, folder, placed, canary);
  return 'canary';
}

/** The group says who makes it. */
const PUBLISHING: OwnForm = {
  name: /^\.(?:publishing|current|canary)-(\d+-\d*-[0-9a-f]{8})$/,
  kinds: ['folder', 'file', 'link'],
};

/** The folder in which this process prepares a release; others never take it for one. */
const publishingFolder = ({ disk }: Pick<ReleaseAccess, 'disk'>, folder: string): string =>
  `${folder}/.publishing-${disk.writer}`;

/** Removes what processes left behind that were killed while they published. */
export function sweepLeftovers(access: ReleaseAccess, folder: string): void {
  for (const path of leftoversOf(access, folder)) access.disk.remove(path, PUBLISHING);
}

/** Of processes that are gone, and of this one. */
export function leftoversOf({ host, disk }: ReleaseAccess, folder: string): readonly string[] {
  if (host.stat(folder)?.isFolder !== true) return [];
  return host
    .list(folder)
    .filter((name) => {
      const [, writer] = PUBLISHING.name.exec(name) ?? [];
      return writer !== undefined && (writer === disk.writer || !disk.mayWrite(writer));
    })
    .map((name) => `${folder}/${name}`)
    .filter((path) => disk.isOwn(path, PUBLISHING));
}
