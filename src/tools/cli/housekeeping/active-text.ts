/** Active runs for people, who see who does what where. */
import { bytes } from '../../../pipeline/planner/quantities.js';
import type { ActiveRun } from '../../../pipeline/store/index.js';
import { sinceText } from '../../../pipeline/store/since-text.js';
import { printable } from '../../insight/safe-text.js';
import type { Colours } from '../cli-context.js';

interface Who {
  readonly user?: string;
  readonly host?: string;
  readonly pid: number;
  readonly since?: string;
  readonly cwd: string;
}

/** `ana@box, process 12, since 2026-11-25 02:13 UTC, in /home/ana/legal` */
export const whoText = ({ user = '', host = '', pid, since, cwd }: Who): string =>
  printable(
    [
      `${user}${user === '' || host === '' ? '' : '@'}${host}`,
      `process ${pid}`,
      ...(since === undefined ? [] : [`since ${sinceText(since)}`]),
      `in ${cwd}`,
    ]
      .filter((part) => part !== '')
      .join(', '),
  );

/** What a run does now, beyond its claims. */
export interface RunNow {
  readonly pipeline?: string;
  /** What its last event says, where no stage is at work. */
  readonly doing?: string;
}

const STATES: Readonly<Record<ActiveRun['state'], string>> = {
  alive: 'is active',
  gone: 'is gone: the next run takes over',
  unknown: 'is active elsewhere',
};

/** A block of lines. */
export function runLines(run: ActiveRun, now: RunNow, { bold, dim, yellow }: Colours): readonly string[] {
  const state = STATES[run.state];
  const stages = run.claims.map(({ holder, progress, state: claimed }) => {
    const doing = progress === undefined ? 'begun' : progressText(progress);
    return `  ${bold(printable(holder.stage))}: ${doing}${claimed === 'gone' ? yellow(' (left behind)') : ''}`;
  });
  return [
    `${bold(printable(run.runId))} ${run.state === 'gone' ? yellow(state) : state}${now.pipeline === undefined ? '' : `: ${printable(now.pipeline)}`}`,
    ...(stages.length > 0 ? stages : [`  ${now.doing ?? 'no stage is at work'}`]),
    `  ${dim(whoText(run))}`,
  ];
}

const progressText = ({ done, total, unit }: NonNullable<ActiveRun['claims'][number]['progress']>): string =>
  unit === 'bytes' ? `${bytes(done)} of ${bytes(total)}` : `${done}/${total} ${printable(unit)}`;
