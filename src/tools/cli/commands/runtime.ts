import type { TfjsName } from '../../../compute/tensor/runtimes/tfjs/installed.js';
import type { Host } from '../../../language/host/host.js';
import type { RuntimeName } from '../../../language/ir/runtimes.js';
import type { InstallStep } from '../../install/staging.js';
import type { CliContext } from '../cli-context.js';
import { type Arguments, type Command, EXIT, option, UsageError, unknown } from '../command.js';

type Action = (args: Arguments, context: CliContext) => Promise<number>;

export const runtime: Command = {
  name: 'runtime',
  doc: 'Lists, installs and removes what computes: tensor runtimes, the environment of the accelerate engine, and llama.cpp.',
  positionals: [
    { name: 'action', doc: '`list`, `install` or `remove`.', choices: ['list', 'install', 'remove'] },
    {
      name: 'name',
      doc: 'For install and remove: `accelerate`, `llama.cpp`, `tensorflow`, `webgpu`, `wasm` or `cpu`.',
      optional: true,
      choices: ['accelerate', 'llama.cpp', 'tensorflow', 'webgpu', 'wasm', 'cpu'],
    },
  ],
  options: {
    cpu: option.flag(
      'Leave out what only GPUs use: of TensorFlow, 3.1 of 3.4 GB to download; of accelerate, 0.5 of 3.1 GB; of llama.cpp, its build for a GPU.',
    ),
    python: option.text('PYTHON', 'For `install accelerate`: the Python to make the environment with.'),
    json: option.flag('Print the runtimes as JSON.'),
  },
  examples: [
    ['ftpc runtime list', 'what is installed, and which one `auto` uses'],
    ['ftpc runtime install tensorflow', 'once per user; then runs use the GPU without changes to pipelines'],
    ['ftpc runtime install tensorflow --cpu', 'for a machine without a GPU'],
    ['ftpc runtime install accelerate', 'PyTorch, transformers and PEFT, for `--engine accelerate`'],
    ['ftpc runtime install llama.cpp', 'to answer with GGUF files, fast: a 11 MB download, 30 MB on disk'],
    ['ftpc runtime install webgpu', 'for a GPU of any vendor: a 61 MB download, 24 MB on disk'],
    ['ftpc runtime remove tensorflow', 'frees its disk space'],
  ],
  run: async (args, context) => {
    const asked = args.positional('action');
    const action = Object.hasOwn(ACTIONS, asked) ? ACTIONS[asked] : undefined;
    if (action === undefined) throw unknown('action', asked, Object.keys(ACTIONS));
    if (args.flag('cpu') && asked !== 'install') throw new UsageError('`--cpu` needs `install`');
    const isForPython = asked === 'install' && args.optionalPositional('name') === 'accelerate';
    if (args.text('python') !== undefined && !isForPython)
      throw new UsageError('`--python` needs `install accelerate`');
    return action(args, context);
  },
};

const ACTIONS: Readonly<Record<string, Action>> = { list, install, remove };

async function list(args: Arguments, context: CliContext): Promise<number> {
  const name = args.optionalPositional('name');
  if (name !== undefined) throw new UsageError(`\`list\` takes no name; leave \`${name}\` out`);
  await show(args, context);
  return EXIT.done;
}

/** What is here now. */
async function show(args: Arguments, { host, out, colours, width }: CliContext): Promise<void> {
  const { columns } = await import('../../../pipeline/planner/render/columns.js');
  const { chooseRuntime } = await import('../../../compute/tensor/runtimes/choice.js');
  const { RUNTIMES } = await import('../../../compute/tensor/runtimes/index.js');
  const auto = chooseRuntime(host);
  const found = [
    ...Object.entries(RUNTIMES).map(([name, { title, doc, version, damage }]) => ({
      name,
      title,
      version: version(host) ?? null,
      damage: damage?.(host) ?? null,
      auto: name === auto,
      doc,
    })),
    await engineState(host),
    await llamaState(host),
  ];
  if (args.flag('json')) return out(JSON.stringify({ version: 1, runtimes: found }, null, 2));
  const { green, red, dim } = colours.out;
  for (const { name, title, version, damage, auto: isChosen, doc } of found) {
    const state = version === null ? dim('not installed'.padEnd(20)) : green(version.padEnd(20));
    out(`${name.padEnd(12)}${state}${title}${isChosen ? ', used by auto' : ''}`);
    const below = [
      dim(doc),
      ...(damage === null ? [] : [red(`damaged: ${damage}; \`ftpc runtime install ${name}\` repairs it`)]),
    ];
    for (const line of columns(
      below.map((text) => [' '.repeat(10), text]),
      { width },
    ))
      out(line);
  }
}

/** The environment of the accelerate engine, as a runtime is listed. */
async function engineState(host: Host) {
  const { environmentDamage, environmentFolder, pythonIn, readEnvironment, TITLE } = await import(
    '../../../compute/accelerate/installed.js'
  );
  const { readPackages } = await import('../../../compute/accelerate/site-packages.js');
  const found = readEnvironment(host);
  const torch = found && readPackages(host, pythonIn(environmentFolder(host)), '')?.packages.torch;
  return {
    name: 'accelerate',
    title: TITLE,
    version: found === undefined ? null : `${torch ?? 'damaged'}${found.cuda ? '+cuda' : ''}`,
    damage: environmentDamage(host) ?? null,
    auto: false,
    doc: 'Is installed by `ftpc runtime install accelerate`: the Python of `--engine accelerate`, for one or several NVIDIA GPUs, or for the CPU.',
  };
}

/** llama.cpp, as a runtime is listed. */
async function llamaState(host: Host) {
  const { LLAMA, llamaDamage, llamaVersion, readLlama } = await import(
    '../../../compute/serving/llama-cpp/installed.js'
  );
  const found = readLlama(host);
  return {
    name: LLAMA,
    title: LLAMA,
    version: found === undefined ? null : llamaVersion(found),
    damage: llamaDamage(host) ?? null,
    auto: false,
    doc: 'Is installed by `ftpc runtime install llama.cpp`: answers to requests (`ftpc serve`) with GGUF files, on the CPU or a GPU.',
  };
}

interface Installation {
  readonly what: string;
  readonly bytes: number;
  readonly already: boolean;
}

interface Installable {
  readonly install: (
    args: Arguments,
    host: Host,
    options: { readonly signal: AbortSignal; readonly progress: (step: InstallStep) => void },
  ) => Promise<Installation>;
  /** Whether there was one. */
  readonly remove: (host: Host) => Promise<boolean>;
}

const tfjs = (name: TfjsName): Installable => ({
  install: async (args, host, options) => {
    if (args.flag('cpu'))
      throw new UsageError('`--cpu` needs `install` of `tensorflow`, `accelerate` or `llama.cpp`');
    const { installTfjs } = await import('../../install/tfjs.js');
    const { manifest, already } = await installTfjs(host, name, options);
    return { what: await titleOf(name), bytes: manifest.bytes, already };
  },
  remove: async (host) => (await import('../../install/tfjs.js')).removeTfjs(host, name),
});

/** What is installed by hand. */
const INSTALLABLE: Readonly<Record<Exclude<RuntimeName, 'onnx'> | 'accelerate' | 'llama.cpp', Installable>> =
  {
    accelerate: {
      install: async (args, host, options) => {
        const { installAccelerate } = await import('../../install/accelerate.js');
        const asked = { cpu: args.flag('cpu'), python: args.text('python') };
        const { manifest, already } = await installAccelerate(host, { ...asked, ...options });
        const what = `${await titleOf('accelerate')} for Python ${manifest.python}`;
        return { what, bytes: manifest.bytes, already };
      },
      remove: async (host) => (await import('../../install/accelerate.js')).removeAccelerate(host),
    },
    'llama.cpp': {
      install: async (args, host, options) => {
        const { installLlama } = await import('../../install/llama-cpp.js');
        const { manifest, already } = await installLlama(host, { cpu: args.flag('cpu'), ...options });
        const { llamaVersion } = await import('../../../compute/serving/llama-cpp/installed.js');
        return { what: `llama.cpp ${llamaVersion(manifest)}`, bytes: manifest.bytes, already };
      },
      remove: async (host) => (await import('../../install/llama-cpp.js')).removeLlama(host),
    },
    tensorflow: {
      install: async (args, host, options) => {
        const { installTensorFlow } = await import('../../install/tensorflow.js');
        const { manifest, already } = await installTensorFlow(host, { cpu: args.flag('cpu'), ...options });
        const what = `TensorFlow ${manifest.tensorflow}${manifest.cuda ? ' with CUDA' : ''}`;
        return { what, bytes: manifest.bytes, already };
      },
      remove: async (host) => (await import('../../install/tensorflow.js')).removeTensorFlow(host),
    },
    webgpu: tfjs('webgpu'),
    wasm: tfjs('wasm'),
    cpu: tfjs('cpu'),
  };

type InstallableName = keyof typeof INSTALLABLE;

const isInstallable = (name: string): name is InstallableName => Object.hasOwn(INSTALLABLE, name);

async function titleOf(name: RuntimeName | 'accelerate' | 'llama.cpp'): Promise<string> {
  if (name === 'accelerate') return (await import('../../../compute/accelerate/installed.js')).TITLE;
  if (name === 'llama.cpp') return name;
  return (await import('../../../compute/tensor/runtimes/index.js')).RUNTIMES[name].title;
}

async function installable(args: Arguments): Promise<InstallableName> {
  const name = args.optionalPositional('name');
  if (name === undefined)
    throw new UsageError(`say which: \`ftpc runtime ${args.positional('action')} tensorflow\``);
  if (name === 'onnx') throw new UsageError('ONNX Runtime is part of ftpc and is always there');
  if (!isInstallable(name)) throw unknown('runtime', name, Object.keys(INSTALLABLE));
  return name;
}

async function install(args: Arguments, context: CliContext): Promise<number> {
  const name = await installable(args);
  const { installView } = await import('../progress/steps.js');
  const { watchSignals } = await import('../interrupts.js');
  const { bytes: bytesText } = await import('../../../pipeline/planner/quantities.js');
  const view = installView(context);
  const interrupts = watchSignals(() => {});
  try {
    const { what, bytes, already } = await INSTALLABLE[name].install(args, context.host, {
      signal: interrupts.stop,
      progress: view.step,
    });
    view.close();
    const { green } = context.colours.err;
    context.err(`${green(already ? 'is installed' : 'installed')}: ${what}, ${bytesText(bytes)}`);
    if (args.flag('json')) await show(args, context);
    return EXIT.done;
  } catch (error) {
    view.close();
    if (!interrupts.stop.aborted) throw error;
    context.err('nothing was installed; what was downloaded is kept for the next time');
    return EXIT.interrupted;
  } finally {
    interrupts.release();
  }
}

async function remove(args: Arguments, context: CliContext): Promise<number> {
  const name = await installable(args);
  const title = await titleOf(name);
  const was = await INSTALLABLE[name].remove(context.host);
  context.err(was ? `removed: ${title}` : `${title} was not installed`);
  if (args.flag('json')) await show(args, context);
  return EXIT.done;
}
