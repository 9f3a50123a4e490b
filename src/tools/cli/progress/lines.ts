import type { World } from '../world.js';
import { paceKeeper } from './pace.js';
import { countText, figuresOf, sentenceOf, timeLeft } from './sentences.js';
import type { RunView } from './watch.js';

/** Progress is a line at most this often where nobody sees a bar: logs stay readable. Milliseconds. */
const EVERY = 5_000;

export function linesView(world: World, show: (line: string) => void): RunView {
  const elapsedOf = paceKeeper(world.host.clock);
  let last = world.host.clock();
  return {
    event: (event) => {
      const sentence = sentenceOf(event, world.colours.err);
      if (sentence !== undefined) show(sentence);
      const elapsed = elapsedOf(event);
      if (event.type !== 'stage.progress' || world.host.clock() - last < EVERY) return;
      last = world.host.clock();
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
