import { warning, wholeFile } from '../../language/diagnostics/make.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import { trackerText } from './deliver.js';
import type { Spool, Tracking } from './spool.js';

/** A training that a tracker did not take. */
const notDelivered = (pipeline: string, tracking: Tracking): Diagnostic =>
  warning(
    'FTP2220',
    wholeFile(pipeline),
    `${trackerText(tracking)} was not given \`${tracking.stage}\`: ${tracking.problem ?? 'it was not asked'}`,
    {
      help: 'nothing is lost: the next run delivers it, and `ftpc track --sync` does so now',
    },
  );

/** Of each tracker what it was not given, said once however many runs it lacks. */
export function undelivered(spools: readonly Spool[]): readonly Diagnostic[] {
  const found = new Map<string, Diagnostic>();
  for (const { pipeline, trackings } of spools)
    for (const tracking of trackings)
      if (tracking.state === 'pending') {
        const diagnostic = notDelivered(pipeline, tracking);
        found.set(diagnostic.message, diagnostic);
      }
  return [...found.values()];
}
