/** Options about the engine, and what they ask for. Light: a command that reads no pipeline has some too. */
import {
  ENGINE_CHOICES,
  type EngineOptions,
  MOST_NODES,
  SHARDING_CHOICES,
} from '../../../language/ir/engines.js';
import { type Arguments, type OptionSpec, option, UsageError } from '../command.js';
import { devicesOf, wholeNumber } from './machine-options.js';

/** `fallback`: what applies where the option is left out. */
const engineOption = (fallback: string): OptionSpec =>
  option.choice(
    ENGINE_CHOICES,
    `What computes: embedded, in this process, or accelerate, with PyTorch in a process per device; default: ${fallback}. auto takes accelerate where an NVIDIA GPU and its environment are there and no runtime is asked for.`,
  );

/** Of commands that read no pipeline. */
export const MODEL_ENGINE = engineOption('auto');

/** Of commands that let a model answer. */
export const ANSWER_ENGINE: OptionSpec = option.choice(
  [...ENGINE_CHOICES, 'llama.cpp'],
  `${MODEL_ENGINE.doc} llama.cpp, once it is installed, answers as \`ftpc serve\` does with it, on one thread fewer.`,
);

export const PYTHON: OptionSpec = option.text(
  'PATH',
  'The Python of the accelerate engine; default: FTPC_PYTHON, or what `ftpc runtime install accelerate` has installed.',
);

const SHARDING: OptionSpec = option.choice(
  SHARDING_CHOICES,
  'How several devices share a training: a replica on each (ddp), or shards by FSDP2 (fsdp); default: as the pipeline says.',
);

const NODES: OptionSpec = option.number(
  'N',
  'Machines that the accelerate engine computes on; default: as the pipeline says, or 1.',
);

/** Of commands that plan for the accelerate engine alone; `--devices` is among those of the machine. */
export const RANK_OPTIONS = { nodes: NODES, sharding: SHARDING, python: PYTHON } as const;

/** Of commands that plan. */
export const PLAN_ENGINE_OPTIONS = {
  engine: engineOption('as the pipeline says'),
  ...RANK_OPTIONS,
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** Of commands that run a pipeline. */
export const RUN_ENGINE_OPTIONS = {
  engine: PLAN_ENGINE_OPTIONS.engine,
  devices: option.number(
    'N',
    'Devices of each node that the accelerate engine computes on; default: as the pipeline says, or all GPUs.',
  ),
  nodes: NODES,
  node: option.number('I', 'Which of the nodes this machine is, from 0.'),
  rendezvous: option.text('HOST:PORT', 'Where the nodes meet: node 0, and a port that is free there.'),
  sharding: SHARDING,
  python: PYTHON,
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** As {@link PLAN_ENGINE_OPTIONS} and `--devices` ask for it. */
export const planEngineOf = (args: Arguments): EngineOptions => ({
  engine: ENGINE_CHOICES.find((name) => name === args.text('engine')),
  ...ranksOf(args),
});

/** As {@link RANK_OPTIONS} and `--devices` ask for it. */
export const ranksOf = (args: Arguments): Omit<EngineOptions, 'engine'> => ({
  devices: devicesOf(args),
  nodes: wholeNumber(args, 'nodes', MOST_NODES),
  sharding: SHARDING_CHOICES.find((name) => name === args.text('sharding')),
  python: args.text('python'),
});

/** As {@link RUN_ENGINE_OPTIONS} ask for it. */
export const runEngineOf = (args: Arguments): EngineOptions => ({
  ...planEngineOf(args),
  node: nodeOf(args),
  rendezvous: rendezvousOf(args),
});

function nodeOf(args: Arguments): number | undefined {
  const node = args.number('node');
  if (node === undefined || (Number.isInteger(node) && node >= 0)) return node;
  throw new UsageError('`--node` needs a whole number from 0');
}

const MOST_PORT = 65_535;

function rendezvousOf(args: Arguments): string | undefined {
  const text = args.text('rendezvous');
  if (text === undefined) return undefined;
  const [, port] = /^(?:[\w.-]+|\[[\da-fA-F:.]+\]):(\d{1,5})$/.exec(text) ?? [];
  if (port !== undefined && Number(port) >= 1 && Number(port) <= MOST_PORT) return text;
  throw new UsageError(`\`--rendezvous\` needs HOST:PORT, e.g. node0:29400, not \`${text}\``);
}
