import type { Diagnostic } from '../../diagnostics/types.js';
import type { RunEvent } from '../../ir/events.js';

/** Shows a run while it goes on. */
export interface RunView {
  event(event: RunEvent): void;
  diagnostic(diagnostic: Diagnostic): void;
  close(): void;
}
