import { digestFile, filesBelow, MANIFEST } from '../../compute/packaging/manifest/index.js';
import { noReleases, noSuchRelease } from './release-diagnostics.js';
import { listReleases, type Release, type ReleaseAccess } from './releases.js';

/** What differs from the manifest, one sentence each; empty if every file is as it was published. */
export function damages({ host }: Pick<ReleaseAccess, 'host'>, release: Release): readonly string[] {
  const { path, manifest, damage } = release;
  if (manifest === undefined) return [damage ?? 'it has no manifest'];
  const problems: string[] = [];
  for (const [name, expected] of Object.entries(manifest.files)) {
    const stat = host.stat(`${path}/${name}`);
    if (stat === undefined || stat.isFolder) problems.push(`${name} is missing`);
    else if (stat.size !== expected.bytes)
      problems.push(`${name} has ${stat.size} bytes instead of ${expected.bytes}`);
    else if (digestFile(host, `${path}/${name}`).sha256 !== expected.sha256)
      problems.push(`${name} has different content`);
  }
  for (const name of filesBelow(host, path)) {
    if (name !== MANIFEST && !Object.hasOwn(manifest.files, name))
      problems.push(`${name} was not published with it`);
  }
  return problems;
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
