import { type Command, option } from '../command.js';
import { paramsOf, snapshotOptions } from '../options/common-options.js';
import { namedMachine } from '../options/machine-options.js';
import { COMPARISON_FORMATS, comparisonFormat } from '../review/comparison-format.js';

const MACHINE =
  'Plan for a machine of the catalogue; default: the machine of the snapshot, or the memory that the budget allows.';

export const snapshot: Command = {
  name: 'snapshot',
  doc: 'Keeps the plan of a pipeline next to it, as NAME.plan.json, and shows what differs from it.',
  positionals: [{ name: 'file', doc: 'The pipeline.' }],
  options: {
    mode: option.choice(
      ['update', 'validate'],
      'Write the snapshot, or compare with it and exit with 2 if something changed; default: update.',
    ),
    ...snapshotOptions(MACHINE),
    format: option.choice(COMPARISON_FORMATS, 'Format of the differences; default: text.'),
    json: option.flag('Print what differs as JSON.'),
  },
  examples: [
    ['ftpc snapshot pipelines/legal.ftp', 'writes pipelines/legal.plan.json'],
    ['ftpc snapshot pipelines/legal.ftp --mode validate', 'in CI: 0 no change, 2 changes, 1 an error'],
    [
      'ftpc snapshot pipelines/legal.ftp --machine cpu-8gib -p smoke=true',
      'for this machine and with this parameter from now on',
    ],
  ],
  run: async (args, context) => {
    const { keepSnapshot } = await import('../review/snapshot.js');
    return keepSnapshot(context, {
      file: args.positional('file'),
      mode: args.text('mode') === 'validate' ? 'validate' : 'update',
      params: paramsOf(args),
      machine: namedMachine(args),
      format: comparisonFormat(args),
    });
  },
};
