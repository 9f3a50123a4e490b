import type { Diagnostic } from '../../../language/diagnostics/types.js';
import type { RunEvent } from '../../../language/ir/events.js';

/** Shows a run while it proceeds. */
export interface RunView {
  event(event: RunEvent): void;
  /** Makes room for a diagnostic, which the caller prints where `printsDiagnostics` is set. */
  diagnostic(diagnostic: Diagnostic): void;
  readonly printsDiagnostics: boolean;
  close(): void;
}
