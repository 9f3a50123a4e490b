/** FTP17xx: runs that are at work or are over, and what they keep. */
import { nearest } from '../did-you-mean.js';
import { error, named, wholeFile } from '../make.js';

const LISTED = 8;

/** `store`: where else was looked. */
export const noActiveRun = (store: string | undefined) =>
  error(
    'FTP1701',
    undefined,
    `no run is active in this folder${store === undefined ? '' : ` or in the store \`${store}\``}`,
    { help: '`ftpc status` shows what runs, and how the last run ended' },
  );

export const noSuchActiveRun = (asked: string, active: readonly string[]) =>
  error('FTP1702', undefined, `no active run is \`${asked}\``, {
    help: `active ${active.length === 1 ? 'is' : 'are'} ${named(active.slice(0, LISTED), 'and')}`,
    notes: ['refer to a run by its id, or by the beginning of it'],
  });

export const noStageOfRun = (run: string, asked: string, stages: readonly string[]) => {
  const meant = stages.length === 1 ? stages[0] : nearest(asked, stages);
  return error('FTP1703', undefined, `the run \`${run}\` has no stage \`${asked}\``, {
    help:
      meant !== undefined
        ? `did you mean \`${meant}\`?`
        : stages.length === 0
          ? 'it has begun no stage'
          : `its stages are ${named(stages.slice(0, LISTED), 'and')}`,
  });
};

/** `who`: `ana@box, process 12, …`; `elsewhere`: a process that cannot be looked at from here. */
export const stillHeld = (path: string, run: string, who: string, elsewhere: boolean) =>
  error(
    'FTP1704',
    wholeFile(path),
    elsewhere
      ? `\`${path}\` is of run \`${run}\` on another machine or in another container: ${who}`
      : `\`${path}\` is of run \`${run}\`, which is at work: ${who}`,
    {
      help: elsewhere
        ? 'if that machine is off or the container is gone, repeat with `--force`; otherwise `ftpc stop` ends the run'
        : '`ftpc stop` ends the run and keeps its progress',
    },
  );
