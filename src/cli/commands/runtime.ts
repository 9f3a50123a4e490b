import type { RuntimeName } from '../../ir/runtimes.js';
import type { Arguments } from '../arguments.js';
import { unknown } from '../arguments.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { UsageError } from '../usage-error.js';
import type { World } from '../world.js';

type Action = (args: Arguments, world: World) => Promise<number>;

export const runtime: Command = {
  name: 'runtime',
  doc: 'Lists what can compute on this machine, and installs or removes TensorFlow for machines with a GPU.',
  positionals: [
    { name: 'action', doc: '`list`, `install` or `remove`.', choices: ['list', 'install', 'remove'] },
    {
      name: 'name',
      doc: 'For install and remove: `tensorflow`.',
      optional: true,
      choices: ['tensorflow'],
    },
  ],
  options: {
    cpu: {
      type: 'boolean',
      doc: 'Installs without kernels for GPUs and without CUDA: 0.3 GB to fetch instead of 3.4 GB.',
    },
    json: { type: 'boolean', doc: 'Print the runtimes as JSON.' },
  },
  examples: [
    ['ftpc runtime list', 'what is here, and which one `auto` takes'],
    ['ftpc runtime install tensorflow', 'once a user; then runs use the GPU with no change to a pipeline'],
    ['ftpc runtime install tensorflow --cpu', 'for a machine without a GPU'],
    ['ftpc runtime remove tensorflow', 'gives the disk back'],
  ],
  run: async (args, world) => {
    const asked = args.positional('action');
    const action = Object.hasOwn(ACTIONS, asked) ? ACTIONS[asked] : undefined;
    if (action === undefined) throw await unknown('action', asked, Object.keys(ACTIONS), runtime);
    if (args.flag('cpu') && asked !== 'install')
      throw new UsageError('`--cpu` goes with `install`', 'runtime');
    return action(args, world);
  },
};

const ACTIONS: Readonly<Record<string, Action>> = { list, install, remove };

async function list(args: Arguments, world: World): Promise<number> {
  const name = args.optionalPositional('name');
  if (name !== undefined) throw new UsageError(`\`list\` takes no name; leave \`${name}\` out`, 'runtime');
  await show(args, world);
  return EXIT.done;
}

/** What is here now. */
async function show(args: Arguments, { host, out, colours }: World): Promise<void> {
  const { chooseRuntime, RUNTIMES } = await import('../../tensor/runtimes/index.js');
  const auto = chooseRuntime(host);
  const found = Object.entries(RUNTIMES).map(([name, { title, doc, version }]) => ({
    name,
    title,
    version: version(host) ?? null,
    auto: name === auto,
    doc,
  }));
  if (args.flag('json')) return out(JSON.stringify({ version: 1, runtimes: found }, null, 2));
  const { green, dim } = colours.out;
  for (const { name, title, version, auto: isChosen, doc } of found) {
    const state = version === null ? dim('not installed'.padEnd(14)) : green(version.padEnd(14));
    out(`${name.padEnd(12)}${state}${title}${isChosen ? ', what auto takes here' : ''}`);
    out(dim(`            ${doc}`));
  }
}

/** The name of a runtime that is installed by hand. */
async function installable(args: Arguments): Promise<RuntimeName> {
  const name = args.optionalPositional('name');
  if (name === 'tensorflow') return name;
  if (name === undefined)
    throw new UsageError(`say which: \`ftpc runtime ${args.positional('action')} tensorflow\``, 'runtime');
  if (name === 'onnx') throw new UsageError('ONNX Runtime comes with ftpc and stays with it', 'runtime');
  throw await unknown('runtime', name, ['tensorflow'], runtime);
}

async function install(args: Arguments, world: World): Promise<number> {
  await installable(args);
  const { installTensorFlow } = await import('../../install/tensorflow.js');
  const { stepsView } = await import('../progress/steps.js');
  const { watchSignals } = await import('../interrupts.js');
  const { bytesText } = await import('../../run/text.js');
  const view = stepsView(world);
  const interrupts = watchSignals(() => {});
  try {
    const { manifest, already } = await installTensorFlow(world.host, {
      cpu: args.flag('cpu'),
      signal: interrupts.stop,
      progress: view.step,
    });
    view.close();
    const what = `TensorFlow ${manifest.tensorflow}${manifest.cuda ? ' with CUDA' : ''}`;
    const { green } = world.colours.err;
    world.err(`${green(already ? 'is installed' : 'installed')}: ${what}, ${bytesText(manifest.bytes)}`);
    if (args.flag('json')) await show(args, world);
    return EXIT.done;
  } catch (error) {
    view.close();
    if (!interrupts.stop.aborted) throw error;
    world.err('nothing was installed; what has come is kept for the next time');
    return EXIT.interrupted;
  } finally {
    interrupts.release();
  }
}

async function remove(args: Arguments, world: World): Promise<number> {
  await installable(args);
  const { removeTensorFlow } = await import('../../install/tensorflow.js');
  world.err(removeTensorFlow(world.host) ? 'removed: TensorFlow' : 'TensorFlow was not installed');
  if (args.flag('json')) await show(args, world);
  return EXIT.done;
}
