/** What monitoring asks of the router and of the folder of releases. */
import { readManifest } from '../../../compute/packaging/manifest.js';
import { readCanary } from '../../deploy/canary.js';
import { type ReleaseAccess, releaseName } from '../../deploy/releases.js';
import { readRoles } from '../release-roles.js';
import type { Router } from '../router.js';
import type { ComparedPair } from './dashboard-data.js';
import type { ReleaseLoad } from './prometheus.js';

/** Of the releases that answer, and of those that finish. */
export const releaseLoads = (router: Pick<Router, 'releases'>): readonly ReleaseLoad[] =>
  router
    .releases()
    .filter(({ state }) => state === 'serving' || state === 'draining')
    .map(({ number, role, share, running, waiting, state }) => ({
      ...{ release: number, share, running, waiting },
      role: state === 'draining' ? 'past' : role,
    }));

/** The current release and its canary, from when it became one; `undefined` where there is none. */
export function comparedPair(access: ReleaseAccess, folder: string): ComparedPair | undefined {
  const { current } = readRoles(access, folder);
  const canary = readCanary(access, folder);
  const since = Date.parse(canary?.since ?? '');
  return current === undefined || canary === undefined || Number.isNaN(since)
    ? undefined
    : { current, canary: canary.release, since };
}

/** Reads the metrics of a release's evaluations out of its manifest, once. */
export function evaluatedMetrics(
  { host }: Pick<ReleaseAccess, 'host'>,
  folder: string,
): (release: number) => Readonly<Record<string, number>> {
  const known = new Map<number, Readonly<Record<string, number>>>();
  return (release) => {
    const found = known.get(release);
    if (found !== undefined) return found;
    const manifest = readManifest(host, `${folder}/${releaseName(release)}`);
    const metrics = 'damage' in manifest ? {} : Object.assign({}, ...Object.values(manifest.metrics));
    known.set(release, metrics);
    return metrics;
  };
}
