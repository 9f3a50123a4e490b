/** What monitoring asks of the router and of the folder of releases. */
import { type ReleaseAnswers, readManifest } from '../../../compute/packaging/manifest.js';
import { DiskError } from '../../../language/host/disk.js';
import { HostError } from '../../../language/host/host.js';
import { readCanary } from '../../deploy/canary.js';
import type { ReleaseAccess } from '../../deploy/releases.js';
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

/**
 * Asks for {@link comparedPair} again and again: a folder that cannot be read for a moment changes nothing, so that what was
 * counted is kept, and neither does one without a current release, as the one before goes on answering. `undefined` at first
 * where there is none.
 */
export function followedPair(access: ReleaseAccess, folder: string): () => ComparedPair | undefined {
  let last: ComparedPair | undefined;
  return () => {
    try {
      if (readRoles(access, folder).current !== undefined) last = comparedPair(access, folder);
    } catch (error) {
      if (!(error instanceof DiskError) && !(error instanceof HostError)) throw error;
    }
    return last;
  };
}

/** Reads what answers of a release's evaluation were like out of its manifest, once; `folderOf`: of its number. */
export function evaluatedAnswers(
  { host }: Pick<ReleaseAccess, 'host'>,
  folderOf: (release: number) => string,
): (release: number) => ReleaseAnswers | undefined {
  const known = new Map<number, ReleaseAnswers | undefined>();
  return (release) => {
    if (known.has(release)) return known.get(release);
    const manifest = readManifest(host, folderOf(release));
    const answers = 'damage' in manifest ? undefined : Object.values(manifest.answers ?? {}).at(-1);
    known.set(release, answers);
    return answers;
  };
}
