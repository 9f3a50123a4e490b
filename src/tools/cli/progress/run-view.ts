import type { Diagnostic } from '../../../language/diagnostics/types.js';
import type { RunEvent } from '../../../language/ir/events.js';
import type { CliContext } from '../cli-context.js';

/** Shows a run while it proceeds. */
export interface RunView {
  event(event: RunEvent): void;
  /** Makes room for a diagnostic, which the caller prints where `printsDiagnostics` is set. */
  diagnostic(diagnostic: Diagnostic): void;
  readonly printsDiagnostics: boolean;
  close(): void;
}

/** One JSON object per line, nothing else; diagnostics are events too. */
export const jsonView = (context: CliContext): RunView => ({
  event: (event) => context.out(JSON.stringify(event)),
  diagnostic: () => {},
  printsDiagnostics: false,
  close: () => {},
});
