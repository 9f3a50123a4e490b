/** The process of one stage. Its files may be more than the system lets it open: the parent reads the sentence that says so. */
import { loadFailure } from '../../language/host/system-limit.js';

// Node.js may wait for ever for threads that the system does not give it: the parent ends a process that does not say this
process.send?.({ type: 'begun' });

try {
  await import('./stage-child.js');
} catch (error) {
  process.stderr.write(loadFailure(error) ?? (error instanceof Error ? `${error.stack}\n` : String(error)));
  process.exit(1);
}
