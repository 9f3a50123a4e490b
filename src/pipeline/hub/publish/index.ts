import type { Host } from '../../../language/host/host.js';
import type { Call } from '../../../language/ir/program.js';
import { accessTo } from './publish-release.js';

/** Throws a `UserError` if it is known already that a release can't be published there. */
export function checkReachable(target: Call, host: Pick<Host, 'env' | 'waiting'>): void {
  if (target.call === 'hub_release') accessTo(target, host);
}
