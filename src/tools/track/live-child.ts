/** The process that gives trainings to trackers while their run goes on; it ends with the run. */
import { constants, setPriority } from 'node:os';
import { nodeHost } from '../../language/host/node-host.js';
import { type FollowTask, follow } from './live.js';

process.on('disconnect', () => process.exit(0));
process.once('message', ({ cwd, store, spool }: FollowTask) => {
  try {
    setPriority(constants.priority.PRIORITY_LOW);
  } catch {
    // a system that has no priorities to give
  }
  const host = { ...nodeHost(cwd), ...(store === undefined ? {} : { store }) };
  void follow(host, spool, new AbortController().signal);
});
