/** Everything that happens in a run, told to who watches it and written into its journal. */
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import type { RunEvent } from '../../language/ir/events.js';
import type { Journal } from '../store/index.js';
import type { Watcher } from './run-context.js';

interface Recorder extends Watcher {
  /** Writes everything so far, and everything to come, into a journal too. */
  into(journal: Journal): void;
  close(): void;
}

/** `describe` gives the fields of a `diagnostic` event. */
export function recorder(
  watcher: Watcher,
  describe: (diagnostic: Diagnostic) => Readonly<Record<string, unknown>>,
): Recorder {
  let journal: Journal | undefined;
  const early: RunEvent[] = [];
  let broken = false;
  const write = (happened: RunEvent): void => {
    if (broken) return;
    if (journal === undefined) {
      early.push(happened);
      return;
    }
    try {
      journal.append(happened);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      // Events come from a callback, where nothing could catch this; the stages may still end well.
      broken = true;
      diagnostic({ ...error.diagnostic, severity: 'warning' });
    }
  };
  const event = (happened: RunEvent): void => {
    write(happened);
    watcher.event(happened);
  };
  /** Warnings of no line, which a plan and each stage's process would repeat. */
  const told = new Set<string>();
  const diagnostic = (found: Diagnostic): void => {
    if (found.severity === 'warning' && isOfNoLine(found)) {
      if (told.has(found.message)) return;
      told.add(found.message);
    }
    event({ type: 'diagnostic', ...describe(found) });
    watcher.diagnostic(found);
  };
  return {
    event,
    diagnostic,
    into: (opened) => {
      journal = opened;
      for (const happened of early.splice(0)) write(happened);
    },
    close: () => journal?.close(),
  };
}

const isOfNoLine = ({ at }: Diagnostic): boolean => at === undefined || ('line' in at && at.line === 0);
