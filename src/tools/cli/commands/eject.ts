import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Preparation } from '../../../pipeline/prepare/index.js';
import type { CliContext } from '../cli-context.js';
import { type Arguments, type Command, EXIT, EXIT_OF_RUN, option, UsageError, unknown } from '../command.js';
import { EJECT_OPTIONS, ejectRequest } from '../options.js';

export const eject: Command = {
  name: 'eject',
  doc: 'Writes the training of a stage as a folder that runs without ftpc: rows, steps, driver, environment, and scripts for a machine, Slurm and Kubernetes.',
  positionals: [
    { name: 'file', doc: 'The pipeline.' },
    { name: 'folder', doc: 'The folder to write; it must not exist, or be empty.' },
  ],
  options: {
    stage: option.text('STAGE', 'The train stage; default: the only one.'),
    ...EJECT_OPTIONS,
  },
  examples: [
    ['ftpc eject pipelines/legal.ftp legal-training', 'for this machine'],
    [
      'ftpc eject pipelines/legal.ftp legal-training --machine h100-80gb --devices 8 --nodes 2',
      'for two machines of 8 GPUs',
    ],
  ],
  run: async (args, context) => {
    const folder = freeFolder(args, context);
    const request = await ejectRequest(args.positional('file'), args);
    const { ejectable, printed } = await import('../eject.js');
    const found = await ejectable(context, request, (prepared) => stageOf(args, prepared));
    if ('status' in found) return EXIT_OF_RUN[found.status];
    const { eject: write } = await import('../../../pipeline/eject/eject.js');
    return printed(context, found, async () => {
      const { specification, base } = await write({ ...found, host: context.host, folder });
      const { green } = context.colours.err;
      const steps = specification.total_steps;
      context.err(`${green('ejected')} ${found.stage}: ${steps} steps, into ${args.positional('folder')}`);
      context.err('next:');
      context.err(`  cd ${args.positional('folder')}`);
      if (base.from === 'hub') context.err('  ./base.sh');
      context.err('  ./run.sh');
      return EXIT.done;
    });
  },
};

/** The folder, absolute. */
function freeFolder(args: Arguments, { host }: CliContext): string {
  const named = args.positional('folder');
  const folder = resolve(host.cwd, named);
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat !== undefined && (!stat.isDirectory() || host.list(folder).length > 0))
    throw new UsageError(`\`${named}\` is there already: name a folder that does not exist, or is empty`);
  return folder;
}

function stageOf(args: Arguments, { program }: Preparation): string {
  const named = args.text('stage');
  const names = (program?.stages ?? []).filter(({ kind }) => kind === 'train').map(({ name }) => name);
  if (named !== undefined && !names.includes(named)) throw unknown('train stage', named, names);
  const [only, ...others] = named === undefined ? names : [named];
  if (only === undefined) throw new UsageError('the pipeline has no train stage');
  if (others.length > 0)
    throw new UsageError(
      `the pipeline has ${names.length} train stages; name one with \`--stage\`: ${names.join(', ')}`,
    );
  return only;
}
