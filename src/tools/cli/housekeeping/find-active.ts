import { noActiveRun, noSuchActiveRun } from '../../../language/diagnostics/catalogue/housekeeping.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import {
  type ActiveRun,
  activeRuns,
  journalPath,
  layoutIn,
  layoutOf,
} from '../../../pipeline/store/index.js';
import { findRun } from '../../insight/runs/index.js';

/** Runs whose process is not gone. */
const livingRuns = (host: Host): readonly ActiveRun[] =>
  activeRuns(layoutOf(host)).filter(({ state }) => state !== 'gone');

/**
 * The active run that is meant by its id or the beginning of it; left out, or as `latest`, that of this directory, or the
 * only one. Throws a `UserError`.
 */
export function findActive(host: Host, asked: string | undefined): ActiveRun {
  const active = livingRuns(host);
  if (active.length === 0) throw new UserError(noActiveRun(host.store));
  const isAny = asked === undefined || asked === 'latest';
  const matches = isAny
    ? active.filter(({ isHere }) => isHere).slice(0, 1)
    : active.filter(({ runId }) => asked !== '' && runId.startsWith(asked));
  const [found, ...others] = matches.length === 0 && isAny ? active : matches;
  if (found !== undefined && others.length === 0) return found;
  const ids = active.map(({ runId }) => runId);
  throw new UserError(noSuchActiveRun(asked ?? 'latest', ids));
}

/** The run of this directory that is meant, or an active one of another directory whose id begins so. Throws a `UserError`. */
export function placeOfRun(host: Host, asked: string): { readonly runId: string; readonly cwd: string } {
  try {
    return { runId: findRun(host, asked), cwd: host.cwd };
  } catch (error) {
    const other = livingRuns(host).find(
      ({ runId, cwd }) =>
        (asked === 'latest' || (asked !== '' && runId.startsWith(asked))) &&
        host.stat(journalPath(layoutIn(cwd), runId)) !== undefined,
    );
    if (other === undefined) throw error;
    return other;
  }
}
