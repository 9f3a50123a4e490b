import { setTimeout as sleep } from 'node:timers/promises';
import { unreachable } from '../../language/diagnostics/catalogue/hub.js';
import { UserError } from '../../language/diagnostics/types.js';
import { TransientError } from './request.js';
import type { HubAccess } from './types.js';

/** The longest that a server may ask to be waited for. */
const LONGEST = 60_000;

/**
 * Tries again where a fault may pass, with growing pauses. `progressed` tells whether the last try got further: such a
 * try does not count, so that a long download over a poor line ends. Throws a `UserError` for what stays.
 */
export async function retrying<T>(
  access: HubAccess,
  attempt: () => Promise<T>,
  progressed: () => boolean = () => false,
): Promise<T> {
  for (let failures = 0; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      if (progressed()) failures = 0;
      const pause = access.pauses[failures++];
      const lost = pause === undefined || (error.unreachable && failures > 1);
      if (lost) throw new UserError(unreachable(access.endpoint, error.detail));
      await sleep(Math.min(LONGEST, Math.max(pause, error.after)), undefined, { signal: access.signal });
    }
  }
}
