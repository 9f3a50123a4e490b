import { RUNTIME_CHOICES, type RuntimeChoice } from '../../language/ir/runtimes.js';
import type { Arguments, OptionSpec } from './command.js';
import { UsageError, unknown } from './usage-error.js';

const MEMORY: OptionSpec = {
  type: 'string',
  value: 'SIZE',
  doc: 'Plan for this much memory, e.g. 24GiB, instead of that of the machine.',
};

const THREADS: OptionSpec = {
  type: 'number',
  value: 'N',
  doc: 'Threads of the tensor runtime; default: one per core.',
};

/** `fallback`: what applies where the option is left out. */
const runtimeOption = (fallback: string): OptionSpec => ({
  type: 'string',
  choices: RUNTIME_CHOICES,
  doc: `The tensor runtime; default: ${fallback}. auto takes TensorFlow if it is installed for a GPU on this machine, or else the faster one on the CPU, as measured.`,
});

const RUNTIME = runtimeOption('as the pipeline says');

/** Of commands that read no pipeline. */
export const MODEL_RUNTIME = runtimeOption('auto');

/** Options of commands that run on this machine. */
export const RUN_MACHINE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  memory: MEMORY,
  runtime: RUNTIME,
  threads: THREADS,
};

/** Options of `plan`, which may look at machines that are not here. */
export const PLAN_MACHINE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  machine: {
    type: 'string',
    value: 'NAME',
    doc: 'Plan for a machine of the catalogue, e.g. rtx3090, a100-40gb or cpu-8gib; default: this machine.',
  },
  memory: MEMORY,
  engine: {
    type: 'string',
    choices: ['embedded', 'accelerate'],
    doc: 'The engine that would run it; default: embedded.',
  },
  devices: { type: 'number', value: 'N', doc: 'How many devices the machine has.' },
  runtime: RUNTIME,
  threads: THREADS,
};

export interface NamedMachine {
  readonly machine?: string;
  readonly devices?: number;
}

/** Throws a `UsageError` for a machine that the catalogue does not have. */
export async function namedMachine(args: Arguments): Promise<NamedMachine> {
  const machine = args.text('machine');
  if (machine !== undefined) {
    const { machineNames } = await import('../../pipeline/planner/machines.js');
    if (!machineNames().includes(machine)) throw unknown('machine', machine, machineNames());
  }
  const devices = args.number('devices');
  if (devices !== undefined && (!Number.isInteger(devices) || devices < 1))
    throw new UsageError('`--devices` needs a whole number from 1');
  return { machine, devices };
}

export const planMachine = async (args: Arguments): Promise<NamedMachine & { readonly engine?: string }> => ({
  ...(await namedMachine(args)),
  engine: args.text('engine'),
});

const UNITS: Readonly<Record<string, number>> = {
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** `24GiB` in bytes; units as in the language. */
export function memoryOf(args: Arguments): number | undefined {
  const text = args.text('memory');
  if (text === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]i?B)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ''];
  if (match === null || unit === undefined)
    throw new UsageError(`\`--memory\` needs a size with its unit, e.g. 24GiB, not \`${text}\``);
  return Math.round(Number(match[1]) * unit);
}

/** More than any machine has cores; the system would be busy with starting more. */
const MOST_THREADS = 1024;

export function threadsOf(args: Arguments): number | undefined {
  const threads = args.number('threads');
  if (threads !== undefined && (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS))
    throw new UsageError(`\`--threads\` needs a whole number from 1 to ${MOST_THREADS}`);
  return threads;
}

/** `undefined` if it is left out: then the pipeline may say it. */
export const runtimeOf = (args: Arguments): RuntimeChoice | undefined =>
  RUNTIME_CHOICES.find((name) => name === args.text('runtime'));
