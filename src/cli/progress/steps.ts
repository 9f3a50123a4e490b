/** An installation as it goes on: one line that is written over on a terminal, lines now and then in a log. */
import type { InstallStep } from '../../install/staging.js';
import { bytesText } from '../../run/text.js';
import type { World } from '../world.js';

/** Milliseconds between two looks, on a terminal and in a log. */
const EVERY = { terminal: 200, log: 5_000 } as const;
/** Goes to the line's start and empties it. */
const AGAIN = '\r\x1b[2K';

export interface StepsView {
  readonly step: (step: InstallStep) => void;
  readonly close: () => void;
}

const overwrite = (text: string): void => void process.stderr.write(text);

export function stepsView({ err, host, terminal }: World): StepsView {
  const every = terminal.err ? EVERY.terminal : EVERY.log;
  let last = 0;
  let what = '';
  return {
    step: (step) => {
      const isNew = step.what !== what;
      if (!isNew && host.now() - last < every) return;
      last = host.now();
      what = step.what;
      if (terminal.err) overwrite(`${AGAIN}${textOf(step)}`);
      else err(textOf(step));
    },
    close: () => {
      if (terminal.err && what !== '') overwrite(AGAIN);
    },
  };
}

function textOf({ what, done, total }: InstallStep): string {
  if (done === undefined || total === undefined) return what;
  const share = total === 0 ? 100 : Math.floor((100 * done) / total);
  return done === 0
    ? `${what}, ${bytesText(total)}`
    : `${what}: ${bytesText(done)} of ${bytesText(total)}, ${share} %`;
}
