import type { RunEvent } from '../../../language/ir/events.js';
import type { Progress } from './sentences.js';

/** When the phase that a stage is in began: time left must not count what came before, or a resumed start. */
export function paceKeeper(clock: () => number): (event: RunEvent) => number {
  let phase = '';
  let began = 0;
  let from = 0;
  return (event) => {
    if (event.type !== 'stage.progress') return 0;
    const name = phaseOf(event);
    if (name !== phase) {
      phase = name;
      began = clock();
      from = event.done;
    }
    const elapsed = (clock() - began) / 1000;
    const done = event.done - from;
    // Scaled so that elapsed ÷ done is the pace since the phase began.
    return done <= 0 ? 0 : (elapsed * event.done) / done;
  };
}

const phaseOf = (event: Progress): string =>
  [event.stage, event.label ?? '', event.unit, event.total].join('/');
