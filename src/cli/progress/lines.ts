import type { World } from '../world.js';
import { paceKeeper } from './pace.js';
import { countText, figuresOf, sentenceOf, timeLeft } from './sentences.js';
import type { RunView } from './watch.js';

/** Progress is a line at most this often where nobody sees a bar: logs stay readable. Milliseconds. */
const EVERY = 5_000;

export function linesView(world: World, show: (line: string) => void): RunView {
  const elapsedOf = paceKeeper(world.host.now);
  let last = world.host.now();
  return {
    event: (event) => {
      const sentence = sentenceOf(event, world.colours.err);
      if (sentence !== undefined) show(sentence);
      const elapsed = elapsedOf(event);
      if (event.type !== 'stage.progress' || world.host.now() - last < EVERY) return;
      last = world.host.now();
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
