import { readCanary } from './canary.js';
import { endCanary, makeCurrent } from './history.js';
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
  /** The canary that was taken away: the current release is the same as before. */
  readonly canary?: number;
}

/**
 * Takes the canary away, or makes an earlier release current: the one before the current one if there is no canary, or
 * number `to`. Its files are checked first.
 * Throws a `UserError` if there is none, or if it is damaged.
 */
export function rollback(access: ReleaseAccess, folder: string, to?: number): Rollback {
  const releases = listReleases(access, folder);
  if (releases.length === 0) throw noReleases(folder);
  const current = currentRelease(access, folder);
  const canary = to === undefined ? readCanary(access, folder) : undefined;
  if (canary !== undefined && current !== undefined) {
    endCanary(access, folder, canary);
    return { from: current.number, to: current.number, canary: canary.release };
  }
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
