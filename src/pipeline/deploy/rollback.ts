import { makeCurrent } from './history.js';
import { damagedRelease, noEarlierRelease, noReleases } from './release-diagnostics.js';
import {
  currentRelease,
  damages,
  findRelease,
  listReleases,
  type Release,
  type ReleaseAccess,
} from './releases.js';

interface Rollback {
  readonly from: number | null;
  readonly to: number;
}

/**
 * Makes an earlier release current: number `to`, or the one before the current one. Its files are checked first.
 * Throws a `UserError` if there is none, or if it is damaged.
 */
export function rollback(access: ReleaseAccess, folder: string, to?: number): Rollback {
  const releases = listReleases(access, folder);
  if (releases.length === 0) throw noReleases(folder);
  const current = currentRelease(access, folder);
  const target = to === undefined ? before(folder, releases, current) : findRelease(access, folder, to);
  const problems = damages(access, target);
  if (problems.length > 0) throw damagedRelease(folder, target.number, problems);
  const from = current?.number ?? null;
  if (target.number === from) return { from, to: target.number };
  const digest = target.manifest?.digest ?? '';
  makeCurrent(access, folder, { action: 'rollback', release: target.number, digest });
  return { from, to: target.number };
}

function before(folder: string, releases: readonly Release[], current: Release | undefined): Release {
  const earlier = releases.filter(({ number }) => current !== undefined && number < current.number).at(-1);
  if (earlier === undefined) throw noEarlierRelease(folder, current?.number);
  return earlier;
}
