import { readCanary } from './canary.js';
import { makeCanary, makeCurrent } from './history.js';
import { damagedRelease, noCanary, noReleases } from './release-diagnostics.js';
import { currentRelease, damages, findRelease, listReleases, type ReleaseAccess } from './releases.js';

interface Promotion {
  /** The release that was current before. */
  readonly from: number | null;
  /** The canary. */
  readonly to: number;
  /** Its share before, 0 to 1. */
  readonly share: number;
}

/**
 * Makes the canary current, in one step, or gives it another share of the requests. Its files are checked first.
 * Throws a `UserError` if there is none, or if it is damaged.
 */
export function promote(access: ReleaseAccess, folder: string, share?: number): Promotion {
  if (listReleases(access, folder).length === 0) throw noReleases(folder);
  const from = currentRelease(access, folder)?.number ?? null;
  const canary = readCanary(access, folder);
  if (canary === undefined) throw noCanary(folder, from ?? undefined);
  const release = findRelease(access, folder, canary.release);
  const problems = damages(access, release);
  if (problems.length > 0) throw damagedRelease(folder, release.number, problems);
  const digest = release.manifest?.digest ?? '';
  const placed = { release: release.number, digest };
  if (share === undefined) makeCurrent(access, folder, { action: 'promote', ...placed });
  else if (share !== canary.share) makeCanary(access, folder, placed, share);
  return { from, to: release.number, share: canary.share };
}
