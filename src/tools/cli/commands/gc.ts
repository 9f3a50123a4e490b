import { type Command, EXIT, option, UsageError } from '../command.js';
import { STORE_OPTION } from '../options/common-options.js';
import { wholeNumber } from '../options/machine-options.js';

export const gc: Command = {
  name: 'gc',
  doc: 'Shows which stored outputs nobody needs any more, with their sizes, and removes them with --delete. What recent runs, releases, checkpoints and other users of the store need stays.',
  positionals: [],
  options: {
    delete: option.flag('Remove what the command shows without it.'),
    'keep-runs': option.number(
      'N',
      'Keep the newest N runs of each pipeline and what they need; default: 10.',
    ),
    'keep-days': option.number('D', 'Also keep runs of the last D days; default: 0.'),
    checkpoints: option.flag('Also remove checkpoints of stages that no kept run names.'),
    grace: option.number('MINUTES', 'Keep what was used within so many minutes; default: 60.'),
    cache: option.flag(
      'Also models and data sets of the Hub that no lock file here names and no run used for 30 days.',
    ),
    ...STORE_OPTION,
    json: option.flag('Print what goes, and what stays and why, as JSON.'),
  },
  examples: [
    ['ftpc gc', 'what would go, how much it frees, and why the rest stays'],
    ['ftpc gc --delete', 'do it'],
    ['ftpc gc --keep-runs 3 --keep-days 30 --delete', 'the newest 3 runs, and those of a month'],
    ['ftpc gc --store /mnt/store --delete', 'a store that several use: each keeps what it needs'],
  ],
  run: async (args, context) => {
    const { tidy } = await import('../housekeeping/tidy.js');
    const { gcLines } = await import('../housekeeping/gc-text.js');
    const days = args.number('keep-days') ?? 0;
    const grace = args.number('grace') ?? 60;
    if (days < 0) throw new UsageError('`--keep-days` needs a number that is not negative');
    if (grace < 0) throw new UsageError('`--grace` needs a number that is not negative');
    const request = {
      runs: wholeNumber(args, 'keep-runs'),
      days,
      grace,
      checkpoints: args.flag('checkpoints'),
      cache: args.flag('cache'),
      isDone: args.flag('delete'),
    };
    const found = await tidy(context.host, request);
    if (args.flag('json')) context.out(JSON.stringify({ version: 1, ...found }));
    else for (const line of gcLines(found, context)) context.out(line);
    return EXIT.done;
  },
};
