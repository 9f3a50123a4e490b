import {
  filesBelow,
  MANIFEST,
  type ReleaseManifest,
  readManifest,
} from '../../compute/packaging/manifest.js';
import type { Disk } from '../../language/host/disk.js';
import type { Host } from '../../language/host/host.js';
import type { OwnForm } from '../../language/host/own-files.js';
import { sealDamages } from '../../language/host/seal-damage.js';
import { noReleases, noSuchRelease, otherThanLink, writing } from './release-diagnostics.js';

/** Where releases are read and written. */
export interface ReleaseAccess {
  readonly host: Host;
  readonly disk: Disk;
}

export const CURRENT = 'current';
export const CANARY = 'canary';

export interface Release {
  readonly number: number;
  /** Absolute folder. */
  readonly path: string;
  /** Whether `current` points at it. */
  readonly current: boolean;
  /** Left out where it can't be read; `damage` says why. */
  readonly manifest?: ReleaseManifest;
  readonly damage?: string;
}

/** `0001`: four digits, more if they are needed, so that names sort as numbers do for long. */
export const releaseName = (number: number): string => String(number).padStart(4, '0');

/** Every release of a folder, lowest number first; none if the folder does not exist. */
export function listReleases({ host, disk }: ReleaseAccess, folder: string): readonly Release[] {
  if (host.stat(folder)?.isFolder !== true) return [];
  const current = disk.readLink(`${folder}/${CURRENT}`);
  return host
    .list(folder)
    .filter((name) => /^\d{4,}$/.test(name) && host.stat(`${folder}/${name}`)?.isFolder === true)
    .map((name): Release => {
      const path = `${folder}/${name}`;
      const found = { number: Number(name), path, current: current === name };
      const manifest = readManifest(host, path);
      return 'damage' in manifest ? { ...found, damage: manifest.damage } : { ...found, manifest };
    })
    .sort((a, b) => a.number - b.number);
}

export const currentRelease = (access: ReleaseAccess, folder: string): Release | undefined =>
  listReleases(access, folder).find(({ current }) => current);

/** Throws a `UserError` if no release can be published in this folder. */
export function checkTarget(access: ReleaseAccess, folder: string): void {
  writing(() => access.disk.mayFill(folder));
  for (const name of [CURRENT, CANARY]) checkLink(access, `${folder}/${name}`);
}

/** Throws a `UserError` if something other than a link is where a link is to be. */
export function checkLink({ host, disk }: ReleaseAccess, path: string): void {
  if (disk.readLink(path) === undefined && host.stat(path) !== undefined) throw otherThanLink(path);
}

/** A link, or the file of a canary, before it gets its name. */
export const TEMPORARY: OwnForm = { name: /^\.(?:current|canary)-/, kinds: ['link', 'file'] };

/** Makes a release current in one step: whoever follows the link sees the old release or the new one. */
export const moveCurrent = (access: ReleaseAccess, folder: string, number: number): void =>
  pointLink(access, folder, CURRENT, number);

/** Points a link of a folder of releases to one of them, in one step. */
export function pointLink(access: ReleaseAccess, folder: string, name: string, number: number): void {
  const { disk } = access;
  const path = `${folder}/${name}`;
  checkLink(access, path);
  const temporary = `${folder}/.${name}-${disk.writer}`;
  disk.remove(temporary, TEMPORARY);
  disk.link(releaseName(number), temporary);
  disk.rename(temporary, path);
}

/** What differs from the manifest, one sentence each; empty if every file is as it was published. Every byte is read. */
export function damages({ host }: Pick<ReleaseAccess, 'host'>, release: Release): readonly string[] {
  const { path, manifest, damage } = release;
  if (manifest === undefined) return [damage ?? 'it has no manifest'];
  const differing = [...sealDamages(host, path, manifest.files, { look: 'all' })];
  const added = filesBelow(host, path).filter(
    (name) => name !== MANIFEST && !Object.hasOwn(manifest.files, name),
  );
  return [
    ...differing.map(({ name, what }) => `${name} ${what}`),
    ...added.map((name) => `${name} was not published with it`),
  ];
}

interface Verification {
  readonly release: number;
  readonly holds: boolean;
  readonly problems: readonly string[];
}

/** Checks every file of a release against its manifest. Throws a `UserError` if there is no such release. */
export function verifyRelease(access: ReleaseAccess, folder: string, number: number): Verification {
  const problems = damages(access, findRelease(access, folder, number));
  return { release: number, holds: problems.length === 0, problems };
}

export function findRelease(access: ReleaseAccess, folder: string, number: number): Release {
  const releases = listReleases(access, folder);
  if (releases.length === 0) throw noReleases(folder);
  const found = releases.find((release) => release.number === number);
  if (found === undefined)
    throw noSuchRelease(
      folder,
      number,
      releases.map((release) => release.number),
    );
  return found;
}
