import type { CliContext } from '../cli-context.js';
import { paceKeeper } from './pace.js';
import type { RunView } from './run-view.js';
import { countText, figuresOf, sentenceOf, timeLeft } from './sentences.js';

/** Progress is a line at most this often where no bar is shown: logs stay readable. Milliseconds. */
const EVERY = 5_000;

export function linesView(context: CliContext, show: (line: string) => void): RunView {
  const elapsedOf = paceKeeper(context.host.clock);
  let last = context.host.clock();
  return {
    event: (event) => {
      const sentence = sentenceOf(event, context.colours.err);
      if (sentence !== undefined) show(sentence);
      const elapsed = elapsedOf(event);
      if (event.type !== 'stage.progress' || context.host.clock() - last < EVERY) return;
      last = context.host.clock();
      const left = timeLeft(event, elapsed);
      const count = countText(event);
      show(
        [`${event.stage}: ${count}`, ...figuresOf(event), ...(left === undefined ? [] : [left])].join(', '),
      );
    },
    diagnostic: () => {},
    printsDiagnostics: true,
    close: () => {},
  };
}
