import type { Diagnostic } from '../../../language/diagnostics/types.js';
import type { RunEvent } from '../../../language/ir/events.js';
import type { CliContext } from '../cli-context.js';
import { countText, figuresOf, paceKeeper, sentenceOf, timeLeft } from './sentences.js';

/** Shows a run while it proceeds. */
export interface RunView {
  event(event: RunEvent): void;
  /** The caller prints it where `printsDiagnostics` is set. */
  diagnostic(diagnostic: Diagnostic): void;
  /** Takes a bar away: a line follows that is not of this view. */
  makeRoom(): void;
  readonly printsDiagnostics: boolean;
  close(): void;
}

/** One JSON object per line, nothing else; diagnostics are events too. */
export const jsonView = (context: CliContext): RunView => ({
  event: (event) => context.out(JSON.stringify(event)),
  diagnostic: () => {},
  makeRoom: () => {},
  printsDiagnostics: false,
  close: () => {},
});

/** Progress of a stage is a line at most this often where no bar is shown: logs stay readable. Milliseconds. */
const EVERY = 5_000;

export function linesView(context: CliContext, show: (line: string) => void): RunView {
  const elapsedOf = paceKeeper(context.host.clock);
  const begun = context.host.clock();
  /** When each stage had its last line. */
  const last = new Map<string, number>();
  return {
    event: (event) => {
      const sentence = sentenceOf(event, context.colours.err);
      if (sentence !== undefined) show(sentence);
      const elapsed = elapsedOf(event);
      if (event.type !== 'stage.progress') return;
      const now = context.host.clock();
      if (now - (last.get(event.stage) ?? begun) < EVERY) return;
      last.set(event.stage, now);
      const left = timeLeft(event, elapsed);
      const count = countText(event);
      show(
        [`${event.stage}: ${count}`, ...figuresOf(event), ...(left === undefined ? [] : [left])].join(', '),
      );
    },
    diagnostic: () => {},
    makeRoom: () => {},
    printsDiagnostics: true,
    close: () => {},
  };
}
