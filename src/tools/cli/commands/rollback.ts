import { resolve } from 'node:path';
import { type Command, EXIT, option } from '../command.js';

export const rollback: Command = {
  name: 'rollback',
  doc: 'Takes the canary away if there is one, or else makes an earlier release current again, after checking its files.',
  positionals: [{ name: 'folder', doc: 'The folder that a deploy stage publishes to.' }],
  options: {
    to: option.number(
      'N',
      'The release to return to; default: the canary goes, or else the one before the current one comes back.',
    ),
    json: option.flag('Print `{ version, from, to, canary }` as JSON.'),
  },
  examples: [
    ['ftpc rollback releases/legal', 'the canary goes, or one back'],
    ['ftpc rollback releases/legal --to 3', 'to release 3, back or forth'],
  ],
  run: async (args, context) => {
    const { rollback: goBack } = await import('../../../pipeline/deploy/rollback.js');
    const { nodeDisk } = await import('../../../language/host/node-disk.js');
    const { host } = context;
    const folder = resolve(host.cwd, args.positional('folder'));
    const moved = goBack({ host, disk: nodeDisk() }, folder, args.number('to'));
    if (args.flag('json')) context.out(JSON.stringify({ version: 1, ...moved }));
    else if (moved.canary !== undefined)
      context.err(`release ${moved.canary} is no canary any more; release ${moved.to} is current, as before`);
    else if (moved.from === moved.to) context.err(`release ${moved.to} was current already`);
    else context.err(`current: release ${moved.to}${moved.from === null ? '' : ` (was ${moved.from})`}`);
    return EXIT.done;
  },
};
