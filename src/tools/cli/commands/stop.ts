import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, EXIT, option } from '../command.js';
import { STORE_OPTION } from '../options/common-options.js';

/** Milliseconds between two looks. */
const LOOK = 200;

export const stop: Command = {
  name: 'stop',
  doc: 'Ends a run: its stage saves its progress first, and the next run resumes from there. Also a run of another directory, container or machine that uses the same store.',
  positionals: [
    { name: 'run', doc: 'Its id, or the beginning of it; default: the run of this folder.', optional: true },
  ],
  options: {
    'no-wait': option.flag('Ask it to end, and do not wait until it has.'),
    ...STORE_OPTION,
  },
  examples: [
    ['ftpc stop', 'the run of this folder, from another terminal'],
    ['ftpc stop 20261125-021354 --store /mnt/store', 'a run of a store that several use'],
  ],
  run: async (args, context) => {
    const { findActive } = await import('../housekeeping/find-active.js');
    const { activeRuns, askToStop, forgetStop, isAskedToStop, layoutOf } = await import(
      '../../../pipeline/store/index.js'
    );
    const { host } = context;
    const layout = layoutOf(host);
    const run = findActive(host, args.optionalPositional('run'));
    const folder = run.isHere ? layout.root : run.store;
    askToStop(folder, run.runId);
    if (args.flag('no-wait')) {
      context.err(`asked run ${run.runId} to end: it saves its progress first`);
      return EXIT.done;
    }
    context.err(`run ${run.runId} saves its progress`);
    // the run takes the request away when it ends; where it is killed, nobody does
    const isOver = (): boolean =>
      !isAskedToStop(folder, run.runId) ||
      activeRuns(layout).every(({ runId, state }) => runId !== run.runId || state === 'gone');
    while (!isOver()) await sleep(LOOK);
    forgetStop(folder, run.runId);
    context.err(`run ${run.runId} has ended; the next run resumes from what it saved`);
    return EXIT.done;
  },
};
