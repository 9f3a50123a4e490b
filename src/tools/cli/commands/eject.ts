import { accessSync, constants } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import type { Host } from '../../../language/host/host.js';
import { shellWord } from '../../../language/source/shell-word.js';
import type { Preparation } from '../../../pipeline/prepare/index.js';
import { writing } from '../../../pipeline/store/index.js';
import type { CliContext } from '../cli-context.js';
import {
  type Arguments,
  type Command,
  didYouMean,
  EXIT,
  EXIT_OF_RUN,
  option,
  UsageError,
} from '../command.js';
import { EJECT_OPTIONS, ejectRequest } from '../options/common-options.js';

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
      const into = shellWord(args.positional('folder'));
      context.err(`${green('ejected')} ${found.stage}: ${steps} steps, into ${into}`);
      context.err('next:');
      context.err(`  cd ${into}`);
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
  const stat = host.stat(folder);
  if (stat !== undefined && (!stat.isFolder || host.list(folder).length > 0))
    throw new UsageError(`\`${named}\` is there already: name a folder that does not exist, or is empty`);
  const above = nearestAbove(folder, host);
  if (host.stat(above)?.isFolder !== true)
    throw new UsageError(`\`${named}\` cannot be a folder, as \`${relative(host.cwd, above)}\` is a file`);
  // before rows are made and a training is planned
  writing(folder, undefined, () => accessSync(above, constants.W_OK | constants.X_OK));
  return folder;
}

/** The folder, or else the file, that is there of a path's beginning. */
const nearestAbove = (path: string, host: Host): string =>
  host.stat(path) !== undefined || path === dirname(path) ? path : nearestAbove(dirname(path), host);

function unknownStage(named: string, names: readonly string[]): UsageError {
  const meant = didYouMean(named, names);
  const there = names.length === 0 ? 'the pipeline has none' : `the pipeline has ${names.join(', ')}`;
  return new UsageError(`unknown train stage \`${named}\`${meant === '' ? `: ${there}` : meant}`);
}

function stageOf(args: Arguments, { program }: Preparation): string {
  const named = args.text('stage');
  const names = (program?.stages ?? []).filter(({ kind }) => kind === 'train').map(({ name }) => name);
  if (named !== undefined && !names.includes(named)) throw unknownStage(named, names);
  const [only, ...others] = named === undefined ? names : [named];
  if (only === undefined) throw new UsageError('the pipeline has no train stage');
  if (others.length > 0)
    throw new UsageError(
      `the pipeline has ${names.length} train stages; name one with \`--stage\`: ${names.join(', ')}`,
    );
  return only;
}
