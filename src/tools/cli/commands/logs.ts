import { type Command, EXIT, option } from '../command.js';
import { STORE_OPTION } from '../options/common-options.js';

export const logs: Command = {
  name: 'logs',
  doc: 'Shows a run again, as its terminal had it, with what the processes of its stages printed; with --follow, while it runs.',
  positionals: [
    {
      name: 'run',
      doc: 'Its id, the beginning of it, latest or latest~1, …; default: latest. Also an active run of another folder of this machine.',
      optional: true,
    },
    { name: 'stage', doc: 'Only this stage.', optional: true },
  ],
  options: {
    follow: option.flag('Go on until the run ends.', 'f'),
    ...STORE_OPTION,
    json: option.flag('Print the events as JSON, one on each line.'),
  },
  examples: [
    ['ftpc logs', 'the newest run'],
    ['ftpc logs latest adapter --follow', 'one stage, while it runs'],
    ['ftpc logs 20261125-0213 --json | jq .loss', 'for programs'],
  ],
  run: async (args, context) => {
    const { showLogs } = await import('../housekeeping/logs.js');
    const { placeOfRun } = await import('../housekeeping/find-active.js');
    const { host } = context;
    const { runId, cwd } = placeOfRun(host, args.optionalPositional('run') ?? 'latest');
    const follow = args.flag('follow');
    const json = args.flag('json');
    const stage = args.optionalPositional('stage');
    const end = await showLogs({ ...context, host: { ...host, cwd } }, { runId, stage, follow, json });
    if (!json && end === undefined && follow) context.err('the run ended without a word: it was killed');
    return EXIT.done;
  },
};
