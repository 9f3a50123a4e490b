import { type Command, EXIT, option } from '../command.js';
import { printDiagnostics } from '../diagnostics-printer.js';

export const diff: Command = {
  name: 'diff',
  doc: 'Compares two runs: settings, files, metrics, time, memory and loss curves.',
  positionals: [
    { name: 'run', doc: 'A run: its id, the beginning of its id, latest, or latest~1 for the one before.' },
    {
      name: 'other',
      doc: 'The run to compare it with; default: the newest, or of the newest the one before.',
      optional: true,
    },
  ],
  options: { json: option.flag('Print both runs and their differences as JSON.') },
  examples: [
    ['ftpc diff latest', 'the last two runs'],
    ['ftpc diff 20261125-0901 20261125-0903 --json', 'by the beginnings of their ids, for scripts'],
  ],
  run: async (args, context) => {
    const { damageOf, findRun, readRun } = await import('../../insight/runs/index.js');
    const { diffRuns, diffText } = await import('../../insight/diff/index.js');
    const { host } = context;
    const asked = findRun(host, args.positional('run'));
    const other = args.optionalPositional('other');
    const isNewest = other === undefined && asked === findRun(host, 'latest');
    const [from, to] = isNewest
      ? [findRun(host, 'latest~1'), asked]
      : [asked, findRun(host, other ?? 'latest')];
    const [a, b] = [readRun(host, from), readRun(host, to)];
    await printDiagnostics(context, [...new Set([a, b])].flatMap(damageOf));
    const found = diffRuns(a, b);
    context.out(
      args.flag('json')
        ? JSON.stringify(found, null, 2)
        : diffText(found, context.colours.out, context.width),
    );
    return EXIT.done;
  },
};
