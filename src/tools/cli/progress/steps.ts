/** An installation as it proceeds: one line that is written over on a terminal, lines now and then in a log. */

import { bytes } from '../../../pipeline/planner/quantities.js';
import type { InstallStep } from '../../install/staging.js';
import { type CliContext, canOverwrite, LINE_START } from '../cli-context.js';

/** Milliseconds between two looks, on a terminal and in a log. */
const EVERY = { terminal: 200, log: 5_000 } as const;

interface InstallView {
  readonly step: (step: InstallStep) => void;
  readonly close: () => void;
}

const overwrite = (text: string): void => void process.stderr.write(text);

export function installView(context: CliContext): InstallView {
  const { err, host, width } = context;
  const overwrites = canOverwrite(context);
  const every = overwrites ? EVERY.terminal : EVERY.log;
  let last = 0;
  let what = '';
  return {
    step: (step) => {
      const isNew = step.what !== what;
      if (!isNew && host.clock() - last < every) return;
      last = host.clock();
      what = step.what;
      if (overwrites) overwrite(`${LINE_START}${stepText(step, width - 1)}`);
      else err(stepText(step));
    },
    close: () => {
      if (overwrites && what !== '') overwrite(LINE_START);
    },
  };
}

/** At most `width` columns, as a line that is wrapped cannot be written over: names give way to figures. */
export function stepText({ what, done, total }: InstallStep, width = Number.POSITIVE_INFINITY): string {
  const figures = figuresOf(done, total);
  const room = Math.max(1, width - figures.length);
  return `${what.length > room ? `${what.slice(0, room - 1)}…` : what}${figures}`;
}

function figuresOf(done: number | undefined, total: number | undefined): string {
  if (done === undefined || total === undefined) return '';
  const share = total === 0 ? 100 : Math.floor((100 * done) / total);
  return done === 0 ? `, ${bytes(total)}` : `: ${bytes(done)} of ${bytes(total)}, ${share} %`;
}
